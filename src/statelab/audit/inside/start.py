"""Started by path in the app's interpreter: loads this folder as a package under a private name, then
obeys its channel, or runs a test suite.

    python start.py FD
    python start.py pytest PLAN ARGS...

The folder of this file is taken off the path again: its module names must not stand in the way of the app's.
"""

import importlib.util
import os
import sys

NAME = "_statelab_inside"


def main() -> None:
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = importlib.util.spec_from_file_location(
        NAME, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None
    assert spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    if sys.argv[1] == "pytest":
        importlib.import_module(NAME + ".suite").main(sys.argv[2:])
    else:
        importlib.import_module(NAME + ".process").obey(int(sys.argv.pop(1)))


if __name__ == "__main__":
    main()
