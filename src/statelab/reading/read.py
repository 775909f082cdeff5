"""The way from a file to a history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from statelab.checkers.model import Model
from statelab.columns import History
from statelab.errors import BadInput
from statelab.history import Operation
from statelab.reading.lines import record
from statelab.reading.record import Refused
from statelab.reading.record import Taker


def read(source: Path | Literal["-"], model: Model) -> History:
    """The history in a file (JSON Lines or Parquet, plain, gzip or zstd) or on standard input (`-`).

    It conforms to the shapes of the model. Raises BadInput with one line: file, line (Parquet: row), what is wrong.
    """
    data = Path(source).read_bytes()
    return History.from_operations(list(_operations(str(source), data, model)), answers=model.answers)


def _operations(name: str, data: bytes, model: Model) -> Iterator[Operation]:
    taker = Taker(model)
    for number, line in enumerate(data.split(b"\n"), start=1):
        if line.strip(b" \t\r"):
            try:
                yield taker.take(record(line))
            except Refused as refused:
                raise BadInput(f"{name}, line {number}: {refused}") from None
