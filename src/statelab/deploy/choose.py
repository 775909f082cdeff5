"""Which engine runs the lab: the one that was named, or the one that works on this machine."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from statelab.core.calls import ENGINE_LOCAL
from statelab.core.errors import BadInput
from statelab.deploy.compose import ComposeEngine
from statelab.deploy.engine import Engine
from statelab.deploy.local import LocalEngine
from statelab.deploy.remote import RemoteEngine
from statelab.plan import remote
from statelab.plan.app import App
from statelab.plan.remote import Remote

DOCKER_ANSWERS_S = 10.0


def docker_lacks() -> str | None:
    """Why Compose cannot run here, in words; None if a Docker Engine with Compose v2 answers."""
    for command, lacks in {
        "info": "no Docker Engine answers",
        "compose version": "Docker has no Compose plugin",
    }.items():
        try:
            done = subprocess.run(
                ["docker", *command.split()], capture_output=True, timeout=DOCKER_ANSWERS_S, check=False
            )
        except (FileNotFoundError, subprocess.TimeoutExpired):
            return lacks
        if done.returncode:
            return lacks
    return None


def docker_answers() -> bool:
    """Whether a Docker Engine with Compose v2 answers here."""
    return docker_lacks() is None


def choose(
    name: str,
    app: App,
    environment: Mapping[str, str] | None = None,
    logs: Path | None = None,
    target: Remote | None = None,
) -> tuple[Engine, str]:
    """The engine and the reason for the choice; for an unknown name, raises BadInput with the valid names.

    `environment` is added to that of every deployment; `logs` is the folder for the logs of the local engine. With a
    `target`, the engine is `remote`.
    """
    if target:
        return RemoteEngine(target), f"{target.where.name} names {target.url}"
    reason = "asked for"
    if name == "auto" and not app.is_the_labs:
        name, reason = "local", "another app runs as local processes"
    elif name == "auto" and app.python:
        name, reason = "local", f"Python {app.python.version} of this machine serves"
    elif name == "auto":
        lacks = docker_lacks()
        name, reason = ("local", f"{lacks}, so local processes") if lacks else ("compose", "a Docker Engine answers")
    if name == "local":
        return LocalEngine(app, environment, logs=logs), reason
    if name == remote.NAME:
        raise BadInput("the engine remote starts nothing, so it is for `statelab run` alone")
    if name != "compose":
        raise BadInput(f"no engine {name!r}; valid are auto, compose, local, {remote.NAME}")
    if not app.is_the_labs:
        raise BadInput(f"the compose engine runs the image of the lab's own app; another app runs with {ENGINE_LOCAL}")
    if app.python:
        raise BadInput(
            f"--python is for {ENGINE_LOCAL}; in containers the interpreter of the image serves, and another image is "
            "named as in LAB_PYTHON_IMAGE=python:3.12-slim"
        )
    return ComposeEngine(environment, app), reason
