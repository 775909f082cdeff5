"""Started by path in the app's interpreter: loads this folder as a package under a private name, and takes commands.

    python start.py FD

FD is the descriptor of the channel that the commands come from. The folder of this file is taken off the path again, so
that its modules do not hide modules of the app with the same names.
"""

import importlib.util
import os
import sys
from typing import Any

NAME = "_statelab_inside"


def module(name: str) -> Any:
    """A module of this folder."""
    here = os.path.dirname(os.path.abspath(__file__))
    if NAME not in sys.modules:
        sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
        spec = importlib.util.spec_from_file_location(
            NAME, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
        )
        assert spec is not None
        assert spec.loader is not None
        sys.modules[NAME] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[NAME])
    return importlib.import_module(NAME + "." + name)


if __name__ == "__main__":
    module("process").obey(int(sys.argv.pop(1)))
