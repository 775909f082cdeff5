"""`statelab_identified:app()`: an app other than the lab's own; each answer says who gave it.

STATELAB_IDENTIFIED      WSGI import string of the app
STATELAB_IDENTIFIED_DIR  the folder it is found in

This file is alone in its folder, which is on the server's path instead of the app's. So the app cannot import a module
of the lab instead of its own. The app is imported where and when the server would have imported it.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

SERVICES = Path(__file__).parent.parent


def _beside(name: str, path: Path) -> Any:
    """Imports a module of the lab under a name that no app uses."""
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
