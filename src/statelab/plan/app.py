"""The app under test: any WSGI app, the lab's own by default."""

import sys
from dataclasses import dataclass
from pathlib import Path

from statelab.core.paths import SERVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """WSGI import string (`module:app` or `module:factory()`; None: the lab's own app), the folder it is found in, its
    interpreter, and its own configuration file of gunicorn."""

    name: str | None = None
    folder: Path = SERVICES
    interpreter: str = sys.executable
    gunicorn_config: Path | None = None

    def __str__(self) -> str:
        return self.name or "the lab's own"
