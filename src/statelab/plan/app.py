"""The app under test: any WSGI app, the lab's own by default."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from statelab.core.paths import SERVICES

MECHANISM_FILES = "MECHANISM_FILES"
"""The environment variable that names files with mechanisms to the lab's own app."""
WORKLOADS = "WORKLOADS"
"""The environment variable that names the workloads which the lab's own app is to offer, separated by commas; empty:
all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Python:
    """An interpreter that was chosen to serve the lab's own app. `missing` is a JSON object of the locked packages that
    it cannot have, each with the reason. `own`: it has packages of its own, so the catalogue of the app is read with
    it, too."""

    program: str
    version: str
    missing: str = "{}"
    own: bool = False

    def lacks(self, package: str | None) -> str | None:
        """Why it lacks that package; None if it has it."""
        return msgspec.json.decode(self.missing, type=dict[str | None, str]).get(package)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An app: its WSGI import string (`module:app` or `module:factory()`; None: the lab's own app), its folder, its
    interpreter, and its own gunicorn configuration file. `python` serves the lab's own app instead of that interpreter.
    `mechanisms` are files outside of the lab's own app from which it takes more mechanisms: pairs of a workload and a
    file. `workloads` are the only ones that the lab's own app loads (none named: all), because loading the libraries of
    all would be most of the starting time of each process. `stores` are the stores that are started for it as local
    processes (None: all); it imports the clients of no others."""

    name: str | None = None
    folder: Path = SERVICES
    interpreter: str = sys.executable
    python: Python | None = None
    gunicorn_config: Path | None = None
    mechanisms: tuple[tuple[str, Path], ...] = ()
    workloads: tuple[str, ...] = ()
    stores: frozenset[str] | None = None

    def __str__(self) -> str:
        return self.name or "the lab's own"

    @property
    def server(self) -> str:
        """The interpreter that serves the app."""
        return self.python.program if self.python else self.interpreter

    @property
    def is_the_labs(self) -> bool:
        """Whether it is the lab's own app in its present form, with or without mechanisms from outside, whatever
        interpreter serves it."""
        anywhere = replace(self, interpreter=sys.executable, python=None) if self.python else self
        return replace(anywhere, mechanisms=(), workloads=(), stores=None) == App()

    def for_cells(self, workloads: Iterable[str], stores: Iterable[str | None]) -> "App":
        """The app with only those workloads, and with only the stores that its mechanisms claim. A mechanism from
        outside of the lab, or another app, may need a store that it does not claim: then all stores are started."""
        claimed = self.is_the_labs and not self.mechanisms
        return replace(
            self,
            workloads=tuple(dict.fromkeys(workloads)),
            stores=frozenset(store for store in stores if store) if claimed else None,
        )

    def mechanism_files(self, place: Callable[[Path], str] = str) -> str:
        """The value of MECHANISM_FILES; `place` says where the app finds a file."""
        found: dict[str, list[str]] = {}
        for workload, path in self.mechanisms:
            found.setdefault(workload, []).append(place(path))
        return msgspec.json.encode(found).decode()
