"""The command `check`: one verdict line or JSON object for each file, and the exit code of the worst."""

import sys
from collections.abc import Iterator

import msgspec

from statelab.check.file import BAD_INPUT
from statelab.check.file import EXIT_CODES
from statelab.check.file import Verdict
from statelab.check.file import check_file
from statelab.check.file import details
from statelab.check.file import find_model
from statelab.check.file import initial_of
from statelab.check.file import line
from statelab.check.file import worst
from statelab.check.kernels.model import Model
from statelab.core.errors import BadInput
from statelab.core.operation import Value


def check(files: tuple[str, ...], model_name: str, initial: str | None, limit_s: float | None, as_json: bool) -> int:
    """Judges the files in the order given; what is wrong with one of them keeps no other from its verdict."""
    model = find_model(model_name)
    if files.count("-") > 1:
        raise BadInput("standard input can be read once only: name - once")
    codes = list(_each(files, model, initial_of(model, initial), limit_s, as_json))
    return worst(codes)


def _each(
    files: tuple[str, ...], model: Model, initial: Value | None, limit_s: float | None, as_json: bool
) -> Iterator[int]:
    for source in files:
        try:
            verdict = check_file(source, model, initial, limit_s)
        except BadInput as error:
            print(f"statelab: {error}", file=sys.stderr, flush=True)
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
