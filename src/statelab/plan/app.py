"""The app under test: any WSGI app, the lab's own by default."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path

import msgspec

from statelab.core.paths import SERVICES

MECHANISM_FILES = "MECHANISM_FILES"
"""The environment variable that names files with mechanisms to the lab's own app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """WSGI import string (`module:app` or `module:factory()`; None: the lab's own app), the folder it is found in, its
    interpreter, and its own configuration file of gunicorn. The lab's own app takes `mechanisms` from files outside of
    it: pairs of a workload and a file."""

    name: str | None = None
    folder: Path = SERVICES
    interpreter: str = sys.executable
    gunicorn_config: Path | None = None
    mechanisms: tuple[tuple[str, Path], ...] = ()

    def __str__(self) -> str:
        return self.name or "the lab's own"

    @property
    def is_the_labs(self) -> bool:
        """Whether it is the lab's own as it stands here, with or without mechanisms from outside."""
        return replace(self, mechanisms=()) == App()

    def mechanism_files(self, place: Callable[[Path], str] = str) -> str:
        """The value of MECHANISM_FILES; `place` says where the app finds a file."""
        found: dict[str, list[str]] = {}
        for workload, path in self.mechanisms:
            found.setdefault(workload, []).append(place(path))
        return msgspec.json.encode(found).decode()
