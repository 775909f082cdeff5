"""The compose engine: the same deployments and stores as containers, by `docker compose`."""

import os
import stat
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from statelab.core.access import DIRECT
from statelab.core.calls import ENGINE_LOCAL, MAKE_ENGINE, called
from statelab.core.errors import EngineFailed, Unavailable
from statelab.core.paths import COMPOSE, DEPLOYMENTS, DOCS, REPORTS
from statelab.deploy.engine import wait_for_all_workers
from statelab.plan.app import MECHANISM_FILES, App
from statelab.plan.deployments import Deployment

STORES = ("redis", "memcached", "postgres")
BUILDS_APP = "sync"
"""The service whose image all deployments use."""
CONSOLE = "locust"
FRONT = "front"
APP_PORT = 8000
CONSOLE_PORT = 8089
UP_S = 900.0
READY_S = 30.0

NO_REGISTRY = f"an image cannot be pulled: if you cannot reach a registry, {MAKE_ENGINE} builds the base images"
PORT_TAKEN = (
    "a port is taken: end what listens on it, or set LAB_WEB_PORT for the Locust web UI, LAB_PORT for the front page"
)

NO_PLUGIN = (
    "Docker has no Compose plugin: install the package docker-compose-plugin (Docker), docker-compose-v2 (Ubuntu) "
    f"or docker-compose (Debian 13), or let {MAKE_ENGINE} do it (Debian, root), or use {ENGINE_LOCAL}"
)

EXPLANATIONS = {
    "unknown flag: --file": NO_PLUGIN,
    "unknown command: docker compose": NO_PLUGIN,
    "'compose' is not a docker command": NO_PLUGIN,
    "Cannot connect to the Docker daemon": f"no Docker Engine answers: start it, {MAKE_ENGINE} installs one (Debian), "
    f"or use {ENGINE_LOCAL}",
    "port is already allocated": PORT_TAKEN,
    "address already in use": PORT_TAKEN,
    "no space left on device": "the disk is full: make room (`docker system df` shows what Docker holds)",
    "failed to resolve": NO_REGISTRY,
    "pull access denied": NO_REGISTRY,
    "error getting credentials": "Docker's credential helper failed: see ~/.docker/config.json",
}
"""Part of a message of Docker, and the sentence that says what to do."""


def explain(output: str) -> str:
    """One clear sentence for what Docker printed, or its last lines if the message is not known."""
    for printed, sentence in EXPLANATIONS.items():
        if printed.lower() in output.lower():
            return sentence
    return "docker compose failed:\n" + "\n".join(output.strip().splitlines()[-5:])


def _inside(path: Path) -> str:
    """The path of a mechanism's file inside a container; two files of the same name are refused earlier."""
    return f"/mechanisms/{path.name}"


class Container(msgspec.Struct, frozen=True):
    """One line of `docker compose ps --format json`."""

    Service: str
    State: str
    Health: str = ""
    Publishers: list[dict[str, Any]] | None = None

    @property
    def well(self) -> bool:
        return self.State == "running" and self.Health in ("", "healthy")

    def port(self, inside: int) -> int | None:
        published = [entry for entry in self.Publishers or [] if entry["TargetPort"] == inside]
        return published[0]["PublishedPort"] if published else None


class ComposeEngine:
    """Uses a lab that is up already (`make up`) and leaves it up; stops only what it started itself.

    `environment` is for every deployment: compose.yaml passes LAB_<name> on as <name>. The files of an app's
    mechanisms are mounted read-only into every deployment. A lab that is up already was started without either, so `up`
    then raises EngineFailed.
    """

    name = "compose"
    access = DIRECT

    def __init__(self, environment: Mapping[str, str] | None = None, app: App | None = None) -> None:
        self._app = app or App()
        self._mounts: Path | None = None
        self._environment = {f"LAB_{name}": value for name, value in (environment or {}).items()}
        self._found: set[str] = set()
        self._containers: dict[str, Container] = {}
        self._deployments: dict[str, Deployment] = {}
        self._reasons: dict[str, str] = {}

    def _compose(self, *arguments: str, timeout: float = UP_S) -> subprocess.CompletedProcess[str]:
        files = [part for file in (COMPOSE, self._mounts) if file for part in ("--file", str(file))]
        command = ["docker", "compose", *files, "--profile", "on-request", *arguments]
        try:
            shown = {"LAB_REPORTS": str(REPORTS.resolve()), "LAB_DOCS": str(DOCS if DOCS.is_dir() else DEPLOYMENTS)}
            environment = {**shown, **os.environ, **self._environment}
            return subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=timeout, check=False
            )
        except FileNotFoundError:
            raise EngineFailed(
                f"docker is not installed: {MAKE_ENGINE} installs it (Debian), or {ENGINE_LOCAL}"
            ) from None
        except subprocess.TimeoutExpired:
            raise EngineFailed(f"docker compose {arguments[0]} gave no answer within {timeout:.0f} s") from None

    def _must(self, *arguments: str, timeout: float = UP_S) -> str:
        done = self._compose(*arguments, timeout=timeout)
        if done.returncode:
            raise EngineFailed(explain(done.stderr + done.stdout))
        return done.stdout

    def look(self) -> None:
        """Reads which containers exist; raises EngineFailed if Docker does not answer."""
        lines = self._must("ps", "--all", "--format", "json", timeout=30).splitlines()
        found = [msgspec.json.decode(line, type=Container) for line in lines if line.strip()]
        self._containers = {container.Service: container for container in found}

    def has_front(self) -> bool:
        """Whether the front page is up, and so its port is taken by this lab. Raises EngineFailed if Docker does not
        answer."""
        self.look()
        return FRONT in self._containers and self._containers[FRONT].State == "running"

    def up(self, deployments: list[Deployment], console: bool = False) -> None:
        self._deployments = {deployment.name: deployment for deployment in deployments}
        self.look()
        self._found = {name for name, container in self._containers.items() if container.State == "running"}
        if self._found and (self._environment or self._app.mechanisms):
            raise EngineFailed(
                f"the lab is up, and this needs one started for it: {called('down')} first, or {ENGINE_LOCAL}"
            )
        if console:
            REPORTS.mkdir(parents=True, exist_ok=True)  # otherwise Docker makes it, owned by root
        if self._app.mechanisms:
            self._mount_mechanisms([replica for deployment in deployments for replica in deployment.replicas])
        names = [*STORES, *(deployment.name for deployment in deployments), *([CONSOLE, FRONT] if console else [])]
        self._must("build", BUILDS_APP, CONSOLE)
        self._compose("build", *names)  # an image that cannot be built is missing below, and the others go on
        done = self._compose("up", "--detach", "--wait", *names)
        self.look()
        if done.returncode and not self._containers:
            raise EngineFailed(explain(done.stderr + done.stdout))
        if done.returncode:
            self._bring_up_the_others(names)
        for name in names:
            if name not in self._containers or not self._containers[name].well:
                self._reasons[name] = self._why(name, done.stderr)

    def _mount_mechanisms(self, servers: list[str]) -> None:
        """Writes a second Compose file, which adds to the services of the first (in JSON, which is also YAML)."""
        environment = {MECHANISM_FILES: self._app.mechanism_files(_inside)}
        mounts = []
        for _, path in self._app.mechanisms:
            if not path.stat().st_mode & stat.S_IROTH:
                raise EngineFailed(f"{path} cannot be read in a container, whose user is another: `chmod o+r {path}`")
            mounts.append({"type": "bind", "source": str(path), "target": _inside(path), "read_only": True})
        service = {"environment": environment, "volumes": mounts}
        descriptor, name = tempfile.mkstemp(prefix="statelab-", suffix=".json")
        os.close(descriptor)
        self._mounts = Path(name)
        self._mounts.write_bytes(msgspec.json.encode({"services": dict.fromkeys(servers, service)}))

    def _bring_up_the_others(self, names: list[str]) -> None:
        """Starts each container that still waits, because if one cannot start, Compose gives up on all of them."""
        for name in names:
            if name not in self._containers or self._containers[name].State == "created":
                self._compose("up", "--detach", "--no-deps", name, timeout=60)
        deadline = time.monotonic() + READY_S
        self.look()
        while time.monotonic() < deadline and any(c.Health == "starting" for c in self._containers.values()):
            time.sleep(0.5)
            self.look()

    def _why(self, name: str, printed: str) -> str:
        if name not in self._containers:
            return f"{name} was not started: {explain(printed)}"
        words = self._compose("logs", "--no-log-prefix", "--tail", "8", name, timeout=30).stdout.strip()
        return f"{name} did not come up; its log ends with:\n{words}" if words else f"{name}: {explain(printed)}"

    def url(self, deployment: str) -> str:
        if deployment in self._reasons:
            raise Unavailable(self._reasons[deployment])
        port = self._containers[deployment].port(APP_PORT)
        if port is None:
            raise Unavailable(f"{deployment} publishes no port: its container does not run")
        return f"http://127.0.0.1:{port}"

    def reasons(self) -> dict[str, str]:
        return dict(self._reasons)

    def store_reasons(self) -> dict[str, str]:
        return {name: reason for name, reason in self._reasons.items() if name in STORES}

    def restart(self, deployment: str) -> None:
        replicas = self._deployments[deployment].replicas if deployment in self._deployments else []
        self._compose("restart", "--timeout", "0", *dict.fromkeys([*replicas, deployment]), timeout=60)
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            self.look()  # Docker gives a restarted container another port
            try:
                urllib.request.urlopen(f"{self.url(deployment)}/healthz", timeout=2).close()
                if deployment in self._deployments:
                    wait_for_all_workers(self._deployments[deployment], self.url(deployment))
                return
            except (OSError, Unavailable):
                time.sleep(0.1)
        self._reasons[deployment] = self._why(deployment, "")
        raise Unavailable(self._reasons[deployment])

    def addresses(self) -> dict[str, str]:
        published = {name: container.port(APP_PORT) for name, container in self._containers.items()}
        found = {name: f"http://127.0.0.1:{port}" for name, port in published.items() if port}
        console = self._containers.get(CONSOLE)
        port = console.port(CONSOLE_PORT) if console else None
        return found | ({CONSOLE: f"http://127.0.0.1:{port}"} if port else {})

    def versions(self) -> dict[str, str]:
        """Image names and ids; requirements/app.txt lists the libraries inside."""
        done = self._compose("images", "--format", "json", timeout=30)
        images = msgspec.json.decode(done.stdout) if done.returncode == 0 and done.stdout.strip() else []
        return {f"image {image['Repository']}:{image['Tag']}": str(image["ID"])[:19] for image in images}

    def save_logs(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name in self._containers:
            done = self._compose("logs", "--no-log-prefix", name, timeout=60)
            (folder / f"{name}.log").write_text(done.stdout + done.stderr)

    def down(self) -> None:
        added = self._containers.keys() - self._found
        if not self._found:
            self.remove()
        elif added:
            self._must("rm", "--stop", "--force", *added)

    def remove(self) -> None:
        """Stops and removes every container, network and volume of the lab, whichever command started them."""
        if self._mounts:
            self._mounts.unlink(missing_ok=True)
            self._mounts = None
        self._must("down", "--volumes", "--timeout", "5")
