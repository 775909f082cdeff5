"""The app under test: any WSGI app, the lab's own by default."""

import sys
from dataclasses import dataclass
from pathlib import Path

from statelab.core.paths import SERVICES


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """WSGI import string (`module:app` or `module:factory()`), the folder it is found in, and its interpreter."""

    name: str = "webapp:create_app()"
    folder: Path = SERVICES
    interpreter: str = sys.executable
