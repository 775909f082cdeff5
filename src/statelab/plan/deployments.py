"""The deployments: one env file each, read here for the engines, the theory and the tables."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from statelab.core.errors import BadInput

WORKER_CLASSES = ("single", "threaded", "forking", "sync", "gthread", "gevent")
"""The order of the tables; others follow."""

ON_REQUEST = "on-request"
"""Deployments in this folder are no columns of the standard tables; who names one gets it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """How the app is served. `environment` holds the file's literal values; the rest is read from them.

    `spread` are the boundaries that lie between two of its requests, `fresh` those of them that are new for every
    request, `in_turn` those whose two sides never run at the same time, `forks_after_import` whether requests are
    served by processes forked after the app was imported, `unpatched_at_import` whether gevent patches the standard
    library only after that, or never.
    """

    name: str
    description: str
    environment: dict[str, str]

    @property
    def server(self) -> str:
        return self.environment["SERVER"]

    @property
    def worker_class(self) -> str:
        return self.environment["WORKER_CLASS"]

    @property
    def workers(self) -> int:
        return int(self.environment["WORKERS"])

    @property
    def threads(self) -> int:
        return int(self.environment["THREADS"])

    @property
    def replicas(self) -> int:
        return int(self.environment.get("REPLICAS", "1"))

    @property
    def fresh(self) -> frozenset[str]:
        fresh = {"threaded": {"threads"}, "gevent": {"greenlets"}, "forking": {"processes"}}
        return frozenset(fresh.get(self.worker_class, ()))

    @property
    def spread(self) -> frozenset[str]:
        processes = self.workers > 1 or self.replaces_workers
        between = {"threads": self.threads > 1, "processes": processes, "hosts": self.replicas > 1}
        return self.fresh | {boundary for boundary, lies_between in between.items() if lies_between}

    @property
    def replaces_workers(self) -> bool:
        return self.environment.get("MAX_REQUESTS", "0") != "0"

    @property
    def in_turn(self) -> frozenset[str]:
        """A single worker has ended before the next one starts; what is not patched does not switch greenlets."""
        one_by_one = {
            "processes": self.replaces_workers and self.workers == 1,
            "greenlets": self.environment.get("GEVENT_PATCH") == "never",
        }
        return frozenset(boundary for boundary, in_turn in one_by_one.items() if in_turn) & self.spread

    @property
    def forks_after_import(self) -> bool:
        return self.environment.get("PRELOAD") == "1" or self.worker_class == "forking"

    @property
    def unpatched_at_import(self) -> bool:
        patch = self.environment.get("GEVENT_PATCH", "early")
        return self.worker_class == "gevent" and (patch == "never" or (patch == "late" and self.forks_after_import))

    @property
    def expected_processes(self) -> int | None:
        """How many processes should answer at least; None where every request has its own."""
        return None if "processes" in self.fresh else self.workers * self.replicas + self.replaces_workers


def parse(path: Path) -> Deployment:
    """Reads one env file; raises BadInput naming the line that is not `NAME=value`."""
    lines = path.read_text().splitlines()
    if not lines or not lines[0].startswith("# "):
        raise BadInput(f"{path}: line 1 must be a comment that describes the deployment")
    environment = {}
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, equals, value = line.partition("=")
            if not equals:
                raise BadInput(f"{path}: line {number}: expected NAME=value, found {line!r}")
            environment[name.strip()] = value.strip()
    missing = sorted({"SERVER", "WORKER_CLASS", "WORKERS", "THREADS"} - environment.keys())
    if missing:
        raise BadInput(f"{path}: {', '.join(missing)} missing")
    return Deployment(name=path.stem, description=lines[0].removeprefix("# "), environment=environment)


def _place(deployment: Deployment) -> tuple[int, int, str]:
    known = deployment.worker_class in WORKER_CLASSES
    rank = WORKER_CLASSES.index(deployment.worker_class) if known else len(WORKER_CLASSES)
    return rank, deployment.workers, deployment.name


def load_all(folder: Path, wanted: Collection[str] = ()) -> dict[str, Deployment]:
    """Every deployment of a folder by name, in the order of the tables, and those of its folder `on-request` that are
    wanted by name."""
    on_request = [path for path in (folder / ON_REQUEST).glob("*.env") if path.stem in wanted]
    found = sorted(map(parse, [*folder.glob("*.env"), *on_request]), key=_place)
    return {deployment.name: deployment for deployment in found}
