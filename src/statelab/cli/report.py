"""`statelab report`: judges a saved run again and writes and prints its report."""

import sys
from pathlib import Path

import click
from rich.console import Console

from statelab.check.assess import assess
from statelab.check.assess import exit_code
from statelab.record.run_folder import RunFolder
from statelab.report.formats.files import write_report
from statelab.report.formats.terminal import print_report


@click.command("report")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
def command(folder: Path) -> None:
    """Render a saved run again, from its histories alone."""
    sys.exit(judge_and_report(Console(), RunFolder.open(folder)))


def judge_and_report(console: Console, folder: RunFolder) -> int:
    """Judges what a run folder holds, writes and prints its report, and returns the exit code."""
    results = assess(folder)
    write_report(results, folder.path)
    print_report(results, console, folder.path)
    return exit_code(results)
