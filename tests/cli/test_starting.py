"""What a command loads before it does anything: only what reads histories needs numpy and pyarrow."""

import subprocess
import sys

import pytest

from statelab.cli.main import COMMANDS

READS_HISTORIES = {"run", "report", "check", "convert", "repro"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name not in READS_HISTORIES])
def test_it_starts_without_numpy_and_pyarrow(name: str) -> None:
    script = (
        f"import sys, statelab.cli.main, statelab.cli.{name}; print(sorted({{'numpy', 'pyarrow'}} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_list_of_commands_loads_none_of_them() -> None:
    script = (
        "import sys; sys.argv = ['statelab', '--help']\n"
        "from statelab.cli.main import main\n"
        "main()\n"
        "print([name for name in sys.modules if name.startswith('statelab.cli.') and name != 'statelab.cli.main'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert all(f"  {name} " in done.stdout for name in COMMANDS)
    assert done.stdout.splitlines()[-1] == "[]"
