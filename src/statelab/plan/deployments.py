"""The deployments: one env file each, read here for the engines, the theory and the tables.

The module of its server, `services/servers/<name>.py`, says what an env file means. That is code of the app's side,
which the instrument does not import: it runs in a separate process, once for all files that are read together.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path

import msgspec

from statelab.core.errors import BadInput
from statelab.core.paths import SERVERS

WORKER_CLASSES = ("single", "threaded", "forking", "sync", "gthread", "gevent")
"""Worker classes in the order of the tables: Werkzeug's, then gunicorn's. Servers without worker classes follow."""

ON_REQUEST = "on-request"
"""Deployments in this folder are not columns of the standard tables; each is measured only when it is named."""


CLIENTS = 8
"""How many clients the load has at once."""


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says about a deployment. The fields are those of `Spread` in `services/servers/__init__.py`.
    `package` is the server's package (None: it comes with Python). `inherits_socket`: whether it serves on a socket
    that it is given, or opens its own."""

    fresh: frozenset[str]
    workers: int
    threads: int
    recycled: bool
    in_turn: frozenset[str]
    forks_after_import: bool
    unpatched_at_import: bool
    serves_where_imported: bool
    hosts: int = 1
    sticky: bool = False
    copies_context: bool = False
    parallel: bool = False
    package: str | None
    inherits_socket: bool = True


class Deployment(Spread, frozen=True, kw_only=True):
    """How the app is served. `environment` holds the values of the env file, `description` its first line. `expects`:
    how many processes should answer, if a user states it for a deployment that the lab did not start."""

    name: str
    description: str
    environment: dict[str, str]
    expects: int | None = None

    @property
    def server(self) -> str:
        return self.environment["SERVER"]

    @property
    def replicas(self) -> list[str]:
        """The names of its replicas, one for each host, which are also the names of the hosts. If there is only one,
        its own name."""
        return [f"{self.name}-{number + 1}" for number in range(self.hosts)] if self.hosts > 1 else [self.name]

    @property
    def worker_class(self) -> str:
        """Empty if the server has only one kind of worker."""
        return self.environment.get("WORKER_CLASS", "")

    @property
    def spread(self) -> frozenset[str]:
        """The boundaries that lie between two of its requests."""
        several = {
            "threads": self.threads > 1,
            "processes": self.workers > 1 or self.recycled,
            "hosts": self.hosts > 1,
        }
        return self.fresh | {boundary for boundary, lies_between in several.items() if lies_between}

    @property
    def between_clients(self) -> frozenset[str]:
        """The boundaries of the spread that lie only between two clients, never between requests of the same client."""
        return frozenset({"hosts"}) if self.sticky else frozenset()

    @property
    def queues(self) -> bool:
        """Whether a process has fewer threads than the load has clients, so that requests may wait for one."""
        return not self.fresh and self.threads < CLIENTS

    @property
    def expected_processes(self) -> int | None:
        """How many processes should answer at least; None where every request has its own."""
        if self.expects is not None:
            return self.expects
        return None if "processes" in self.fresh else (self.workers + self.recycled) * self.hosts


@cache
def _spreads(environments: bytes) -> list[Spread | str]:
    """What the servers say about a JSON list of environments: for each its spread, or why it is refused."""
    command = [sys.executable, "-S", str(SERVERS)]
    done = subprocess.run(command, input=environments, capture_output=True, check=False)
    if done.returncode:
        raise BadInput(f"{SERVERS} does not say what the deployments mean:\n{done.stderr.decode()}")
    answers = json.loads(done.stdout)
    return [answer.get("refused") or msgspec.convert(answer, Spread) for answer in answers]


def _settings(path: Path) -> tuple[str, dict[str, str]]:
    """The description and the settings of an env file; raises BadInput naming the line that is neither."""
    lines = path.read_text().splitlines()
    if not lines or not lines[0].startswith("# "):
        raise BadInput(f"{path}: line 1 must be a comment that describes the deployment")
    settings = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                raise BadInput(f"{path}: line {number}: expected NAME=value, found {line!r}")
            if name.strip() in settings:
                raise BadInput(f"{path}: line {number}: {name.strip()} is there already")
            settings[name.strip()] = value.strip()
    return lines[0].removeprefix("# "), settings


def read(paths: Iterable[Path]) -> list[Deployment]:
    """The deployments of some env files; raises BadInput for the first that its server refuses, with the reason."""
    return served(*((str(path), path.stem, *_settings(path)) for path in paths))


def served(*described: tuple[str, str, str, dict[str, str]]) -> list[Deployment]:
    """The deployments, each described by the place of its description (for errors), name, description and settings;
    raises BadInput."""
    spreads = _spreads(msgspec.json.encode([settings for *_, settings in described]))
    found = []
    for (where, name, description, settings), spread in zip(described, spreads, strict=True):
        if isinstance(spread, str):
            raise BadInput(f"{where}: {spread}")
        about = msgspec.structs.asdict(spread)
        found.append(Deployment(name=name, description=description, environment=settings, **about))
    return found


def _place(deployment: Deployment) -> tuple[int, str, int, str]:
    known = deployment.worker_class in WORKER_CLASSES
    rank = WORKER_CLASSES.index(deployment.worker_class) if known else len(WORKER_CLASSES)
    return rank, deployment.server, deployment.workers * deployment.hosts, deployment.name


def load_all(folder: Path, wanted: Collection[str] = ()) -> dict[str, Deployment]:
    """Every deployment of a folder by name, in the order of the tables, and those of its folder `on-request` that are
    named in `wanted`; raises BadInput if two have the same name."""
    standard, on_request = (
        {path.stem: path for path in place.glob("*.env")} for place in (folder, folder / ON_REQUEST)
    )
    twice = sorted(standard.keys() & on_request.keys())
    if twice:
        raise BadInput(f"two deployments have the name {twice[0]}: {standard[twice[0]]} and {on_request[twice[0]]}")
    chosen = standard | {name: path for name, path in on_request.items() if name in wanted}
    return {deployment.name: deployment for deployment in sorted(read(chosen.values()), key=_place)}
