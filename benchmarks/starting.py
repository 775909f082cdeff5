"""How long each command takes to start: its module loaded and its options parsed, as a ratio to `python -c pass`."""

import statistics
import subprocess
import sys
import time

from rich.console import Console
from rich.table import Table

from statelab.cli.main import COMMANDS

PAIRS = 9


def _seconds(*arguments: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def measure() -> None:
    """Prints one row a command. The two processes of a pair follow each other, so that both meet the same machine."""
    table = Table(title="Start of each command", title_justify="left")
    for head in ("command", "ms", "ratio to python -c pass"):
        table.add_column(head, justify="left" if head == "command" else "right")
    for name in COMMANDS:
        start = "import sys; from statelab.cli.main import main; sys.argv[0] = 'statelab'; main()"
        pairs = [(_seconds("-c", start, name, "--help"), _seconds("-c", "pass")) for _ in range(PAIRS)]
        ratio = statistics.median(command / bare for command, bare in pairs)
        took = statistics.median(command for command, _ in pairs)
        table.add_row(name, f"{1e3 * took:,.0f}", f"{ratio:.1f}")
    Console().print(table)
