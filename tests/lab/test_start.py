"""Commands that read no history start without the libraries for columns, which take half a second to load."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("name", ["list", "up", "down", "load", "setup", "survive"])
def test_commands_without_histories_load_neither_numpy_nor_pyarrow(name: str) -> None:
    loaded = f"import sys; from statelab.cli.{name} import command; print({{'numpy', 'pyarrow'}} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
