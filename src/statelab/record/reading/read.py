"""The way from a file to a history."""

from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from typing import Literal

from statelab.record.columns import History
from statelab.record.memory import keep_freed
from statelab.record.reading.columnar import Sheet
from statelab.record.reading.columnar import pa
from statelab.record.reading.consistency import Place
from statelab.record.reading.consistency import require_own_ids
from statelab.record.reading.consistency import require_times
from statelab.record.reading.lines import sheet_of_lines
from statelab.record.reading.source import STANDARD_INPUT
from statelab.record.reading.source import opened
from statelab.record.reading.source import peeked
from statelab.record.reading.table import clients
from statelab.record.reading.table import row_number
from statelab.record.reading.table import sheet_of_table
from statelab.record.shapes import Shapes

PARQUET = b"PAR1"

_ROOMY = 2**29
"""Bytes of a history up to which it is judged fast, and beyond in as little memory as possible."""


def read(source: Path | Literal["-"], shapes: Shapes) -> History:
    """The history in a file (JSON Lines or Parquet, plain, gzip or zstd) or on standard input (`-`).

    It conforms to the shapes of the model. Raises BadInput with one line: file, line (Parquet: row), what is wrong.
    """
    keep_freed()
    history = _history(source, shapes)
    keep_freed(large=history.size <= _ROOMY)
    return history


def _history(source: Path | Literal["-"], shapes: Shapes) -> History:
    name = STANDARD_INPUT if str(source) == "-" else str(source)
    with opened(Path(source), name) as stream:
        head, whole = peeked(stream)
        if head == PARQUET:
            return _of_table(whole, name, shapes)
        sheet, place = sheet_of_lines(whole, name, shapes)
        return _consistent(sheet, name, place, shapes)


def _of_table(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    source = pa.PythonFile(stream, mode="r") if stream.seekable() else pa.BufferReader(stream.read())
    history = _consistent(sheet_of_table(source, name, shapes), name, row_number, shapes)
    return replace(history, processes=clients(history.processes))


def _consistent(sheet: Sheet, name: str, place: Place, shapes: Shapes) -> History:
    require_own_ids(sheet, name, place, shapes.repeating)
    history = sheet.history(shapes.answers, ids_repeat=bool(shapes.repeating))
    require_times(history, name, place)
    return history
