"""The way from a file to a history."""

from pathlib import Path
from typing import Literal

from statelab.checkers.model import Model
from statelab.columns import History
from statelab.reading.consistency import require_own_ids
from statelab.reading.consistency import require_times
from statelab.reading.jsonlines import sheet_of_lines
from statelab.reading.source import STANDARD_INPUT
from statelab.reading.source import opened


def read(source: Path | Literal["-"], model: Model) -> History:
    """The history in a file (JSON Lines or Parquet, plain, gzip or zstd) or on standard input (`-`).

    It conforms to the shapes of the model. Raises BadInput with one line: file, line (Parquet: row), what is wrong.
    """
    name = STANDARD_INPUT if str(source) == "-" else str(source)
    with opened(Path(source), name) as stream:
        sheet, place = sheet_of_lines(stream, name, model)
    repeating = [op for op, shape in model.operations.items() if shape.repeats]
    require_own_ids(sheet, name, place, repeating)
    history = sheet.history(model.answers, ids_repeat=bool(repeating))
    require_times(history, name, place)
    return history
