"""The command `check`: one verdict line or JSON object for each file, and the exit code of the worst."""

import sys
from collections.abc import Iterator
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
from statelab.check.kernels.model import Model
from statelab.check.models import MODELS
from statelab.core.errors import BadInput
from statelab.core.operation import Value


@click.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--model", "model_name", metavar="MODEL", required=True, help=f"one of {', '.join(MODELS)}")
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
@click.option("--json", "as_json", is_flag=True, help="one JSON object per file")
def command(**options: Any) -> None:
    """Judge histories that anybody recorded: JSON Lines or Parquet, plain, gzip or zstd; - is standard input.

    Ends with 0 held, 1 violated, 3 unknown, 2 bad input; of several files with that of the worst.
    """
    sys.exit(check(**options))


def check(
    files: tuple[str, ...],
    model_name: str,
    initial: str | None,
    limit_s: float | None,
    as_json: bool,
    proof_s: float = PROOF_S,
) -> int:
    """Judges the files in the order given; what is wrong with one of them keeps no other from its verdict."""
    model = find_model(model_name)
    if files.count("-") > 1:
        raise BadInput("standard input can be read once only: name - once")
    codes = list(_each(files, model, initial_of(model, initial), limit_s, as_json, proof_s))
    return worst(codes)


def _each(
    files: tuple[str, ...], model: Model, initial: Value | None, limit_s: float | None, as_json: bool, proof_s: float
) -> Iterator[int]:
    for source in files:
        try:
            verdict = check_file(source, model, initial, limit_s, proof_s)
        except BadInput as error:
            print(f"statelab: {error}", file=sys.stderr, flush=True)
            if as_json:
                name = "standard input" if source == "-" else source
                print(
                    msgspec.json.encode({"file": name, "model": model.name, "error": str(error)}).decode(), flush=True
                )
            yield BAD_INPUT
        else:
            _show(verdict, as_json, alone=len(files) == 1)
            yield EXIT_CODES[verdict.verdict]


def _show(verdict: Verdict, as_json: bool, *, alone: bool) -> None:
    if as_json:
        print(msgspec.json.encode(verdict).decode(), flush=True)
        return
    print(line(verdict), flush=True)
    for text in details(verdict) if alone else ():
        print(f"  {text}", flush=True)
