"""`statelab_identified:app()`: another app than the lab's own, each of its answers with who gave it.

STATELAB_IDENTIFIED      WSGI import string of the app
STATELAB_IDENTIFIED_DIR  the folder it is found in

Alone in its folder, which is on the server's path in the place of the app's: so the app meets no module of the lab's by
name. The app is imported where and when the server would have imported it.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

SERVICES = Path(__file__).parent.parent


def _beside(name: str, path: Path) -> Any:
    """A module of the lab, under a name that no app looks for."""
    spec = importlib.util.spec_from_file_location(f"_statelab_{name}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def app() -> Any:
    folder = os.environ["STATELAB_IDENTIFIED_DIR"]
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = folder
    os.chdir(folder)  # an app may have files in its folder
    load_app = _beside("servers", SERVICES / "servers" / "__init__.py").load_app
    return _beside("identity", SERVICES / "statelab_identity.py").identified(
        load_app(os.environ["STATELAB_IDENTIFIED"])
    )
