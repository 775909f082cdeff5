"""`statelab report`: judges a saved run again and writes and prints its report."""

import sys
from pathlib import Path
from types import MappingProxyType

import click
from rich.console import Console

from statelab.check.assess import Early, assess, exit_code
from statelab.record.run_folder import RunFolder
from statelab.report.formats.files import write_report
from statelab.report.formats.terminal import print_report


@click.command("report")
@click.argument("folder", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--tables", is_flag=True, default=None, help="print every table, however long")
def command(folder: Path, tables: bool | None) -> None:
    """Render a saved run again, from its histories alone."""
    sys.exit(judge_and_report(Console(), RunFolder.open(folder), tables=tables))


def judge_and_report(
    console: Console, folder: RunFolder, *, tables: bool | None = None, early: Early = MappingProxyType({})
) -> int:
    """Judges the run in a folder, writes and prints its report, and returns the exit code.

    `tables`: see `print_report`; `early`: see `assess`.
    """
    results = assess(folder, early)
    write_report(results, folder.path)
    print_report(results, console, folder.path, tables=tables)
    return exit_code(results)
