"""The command `check`: one verdict line or JSON object for each file, and the exit code of the worst."""

import sys
from typing import Any

import click
import msgspec

from statelab.check.file import BAD_INPUT
from statelab.check.file import EXIT_CODES
from statelab.check.file import PROOF_S
from statelab.check.file import Verdict
from statelab.check.file import check_file
from statelab.check.file import details
from statelab.check.file import find_model
from statelab.check.file import initial_of
from statelab.check.file import line
from statelab.check.file import worst
from statelab.check.models import MODELS
from statelab.core.errors import BadInput
from statelab.core.operation import Unit
from statelab.foreign.source import name_of

UNIT = click.option("--unit", type=click.Choice(["ns", "us", "ms", "s"]), help="what the stamps of the files count")


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--model",
    "model_name",
    metavar="MODEL",
    help=f"one of {', '.join(MODELS)}; left out, it is the one whose operations the file has",
)
@click.option("--initial", metavar="V", help="the value before the first operation")
@click.option(
    "--time-limit", "limit_s", metavar="S", type=click.FloatRange(min=0, min_open=True), help="for each file, in s"
)
@click.option(
    "--proof-time",
    "proof_s",
    metavar="S",
    type=click.FloatRange(min=0),
    default=PROOF_S,
    show_default=True,
    help="how long a proof is made smaller, in s",
)
@UNIT
@click.option("--json", "as_json", is_flag=True, help="one JSON object per file")
def command(**options: Any) -> None:
    """Judge histories that anybody recorded: our JSON Lines or Parquet, or those of Jepsen, elle-cli and Porcupine.

    Plain, gzip or zstd; - is standard input. The format is told by the content.

    Ends with 0 held, 1 violated, 3 unknown, 2 bad input; of several files with that of the worst.
    """
    sys.exit(check(**options))


def check(
    files: tuple[str, ...],
    model_name: str | None,
    initial: str | None,
    limit_s: float | None,
    as_json: bool,
    proof_s: float = PROOF_S,
    unit: Unit | None = None,
) -> int:
    """Judges the files in the order given; what is wrong with one of them keeps no other from its verdict."""
    if model_name is not None:
        initial_of(find_model(model_name), initial)
    if files.count("-") > 1:
        raise BadInput("standard input can be read once only: name - once")
    codes = [_one(source, model_name, initial, limit_s, proof_s, unit, as_json, len(files) == 1) for source in files]
    return worst(codes)


def _one(
    source: str,
    model_name: str | None,
    initial: str | None,
    limit_s: float | None,
    proof_s: float,
    unit: Unit | None,
    as_json: bool,
    alone: bool,
) -> int:
    """Says what is to be said of one file; its exit code."""
    try:
        verdict = check_file(source, model_name, initial, limit_s, proof_s, unit)
    except BadInput as error:
        print(f"statelab: {error}", file=sys.stderr, flush=True)
        if as_json:
            record = {"file": name_of(source), "model": model_name, "error": str(error)}
            print(msgspec.json.encode(record).decode(), flush=True)
        return BAD_INPUT
    _show(verdict, as_json, alone=alone)
    return EXIT_CODES[verdict.verdict]


def _show(verdict: Verdict, as_json: bool, *, alone: bool) -> None:
    if as_json:
        print(msgspec.json.encode(verdict).decode(), flush=True)
        return
    print(line(verdict), flush=True)
    for text in details(verdict) if alone else ():
        print(f"  {text}", flush=True)
