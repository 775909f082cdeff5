"""`statelab history`: compares many runs, of weeks for example, in one SQLite file and on one page."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.text import Text

from statelab.core.paths import REPORTS
from statelab.report.archive import Archive, SavedRun
from statelab.report.comparison import in_words
from statelab.report.formats.files import results_of, write_over_time
from statelab.report.formats.terminal import PLAIN_WIDTH, location
from statelab.report.over_time import OverTime, over_time, tables


@click.command("history")
@click.argument("runs", metavar="[RUN]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--db",
    "file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="where the runs are kept (default: reports/history.sqlite)",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def command(runs: tuple[Path, ...], file: Path | None, as_json: bool) -> None:
    """Put runs side by side: which cells changed, when, and which versions changed there.

    The RUNs are put into a SQLite file, where those of before are; a run that is there already replaces itself. The
    page of all of them is written beside the file. Ends with 0 where the last run has the verdicts and anomalies that
    were known before it, 1 where some differ, 2 for bad input.
    """
    from statelab.check.intervals import clopper_pearson

    named = [SavedRun.of(run, results_of(run)) for run in runs]
    archive = Archive(file or REPORTS / "history.sqlite")
    new = archive.put(named) if named else 0
    found = over_time(archive.runs(), clopper_pearson)
    page = write_over_time(found, (file or REPORTS / "history.sqlite").with_suffix(".html"))
    if as_json:
        print(msgspec.json.encode(_short(found)).decode())
    else:
        console = Console()
        console.width = console.width if console.is_terminal else max(console.width, PLAIN_WIDTH)
        if named:
            console.print(Text(f"{new} new, {len(named) - new} that were there before"))
        for part in tables(found):
            console.print(part)
        console.print(Text.assemble("The page: ", location(page)), soft_wrap=True)
    sys.exit(0 if found.same else 1)


def _short(found: OverTime) -> dict[str, Any]:
    """All runs, and every cell described in words, without the cells' proofs."""
    names = [run.name for run in found.runs]
    return {
        "runs": [{"name": run.name, "folder": str(run.folder), "started": run.started} for run in found.runs],
        "cells": [
            {
                **msgspec.structs.asdict(cell.key),
                "verdicts": [None if each is None else in_words(each) for each in cell.cells],
                "rates_ops_s": [None if each is None else each.rate_ops_s for each in cell.cells],
                "violated": cell.violated,
                "of": cell.total,
                "interval": cell.interval,
                "changed": [
                    {
                        "before": names[turn.before],
                        "after": names[turn.after],
                        "differs": {each.name: [each.before, each.after] for each in turn.differs},
                    }
                    for turn in cell.turns
                ],
            }
            for cell in found.cells
        ],
    }
