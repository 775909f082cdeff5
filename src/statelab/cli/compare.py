"""`statelab compare`: what changed between two saved runs, for example after a new version of a library, a server or
Python."""

import sys
from dataclasses import asdict
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.text import Text

from statelab.report.comparison import Change, RunComparison, compare, tables
from statelab.report.formats.files import results_of, write_comparison
from statelab.report.formats.terminal import PLAIN_WIDTH, location


@click.command("compare")
@click.argument("before", metavar="RUN", type=click.Path(path_type=Path))
@click.argument("after", metavar="RUN", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def command(before: Path, after: Path, as_json: bool) -> None:
    """Name the cells that changed between two runs: verdicts, anomalies and, beyond noise, throughput.

    The page of it is written into the folder of the second run. Ends with 0 where all verdicts and anomalies are the
    same, 1 where some differ, 2 for bad input.
    """
    found = compare(results_of(before), results_of(after))
    if as_json:
        print(msgspec.json.encode(_short(found)).decode())
    else:
        console = Console()
        console.width = console.width if console.is_terminal else max(console.width, PLAIN_WIDTH)
        for part in tables(found):
            console.print(part)
        console.print(Text.assemble("The page: ", location(write_comparison(found, before, after))), soft_wrap=True)
    sys.exit(0 if found.same else 1)


def _short(found: RunComparison) -> dict[str, object]:
    """The comparison without the cells' histories."""
    kinds = {"verdicts": found.verdicts, "anomalies": found.anomalies, "throughput": found.throughput}
    return {
        "common": found.common,
        "differs": [asdict(condition) for condition in found.differs],
        "only_before": found.only_before,
        "only_after": found.only_after,
        **{kind: [_change(one) for one in changes] for kind, changes in kinds.items()},
        "shift": found.shift,
        "noise": found.noise,
    }


def _change(change: Change) -> dict[str, object]:
    sides = {"before": change.before, "after": change.after}
    fields = ("verdict", "anomalies", "rate_ops_s")
    return {
        **msgspec.structs.asdict(change.key),
        **{side: {name: getattr(cell, name) for name in fields} for side, cell in sides.items()},
    }
