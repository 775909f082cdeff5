"""The way from a stream of lines, or from a table, to a history."""

from dataclasses import replace
from typing import BinaryIO

from statelab.core.memory import keep_freed
from statelab.record.coding import pa
from statelab.record.columns import History
from statelab.record.reading.consistency import Place
from statelab.record.reading.consistency import require_own_ids
from statelab.record.reading.consistency import require_times
from statelab.record.reading.lines import sheet_of_lines
from statelab.record.reading.sheet import Sheet
from statelab.record.reading.table import clients
from statelab.record.reading.table import row_number
from statelab.record.reading.table import sheet_of_table
from statelab.record.reading.table import unit_of_table
from statelab.record.shapes import Shapes

_ROOMY = 2**29
"""Bytes of a history up to which it is judged fast, and beyond in as little memory as possible."""


def read_lines(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    """The history in JSON Lines, which conforms to the shapes of the model.

    Raises BadInput with one line: the file's name, the line, what is wrong.
    """
    keep_freed()
    sheet, place = sheet_of_lines(stream, name, shapes)
    history = replace(checked(sheet, name, place, shapes), unit=None)
    keep_freed(large=history.size <= _ROOMY)
    return history


def read_table(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    """The same of a Parquet file; what is wrong is said with its row."""
    keep_freed()
    source = pa.PythonFile(stream, mode="r") if stream.seekable() else pa.BufferReader(stream.read())
    history = checked(sheet_of_table(source, name, shapes), name, row_number, shapes)
    keep_freed(large=history.size <= _ROOMY)
    return replace(history, processes=clients(history.processes), unit=unit_of_table(source))


def checked(sheet: Sheet, name: str, place: Place, shapes: Shapes) -> History:
    """The history of a sheet; raises BadInput for what no single operation shows. `place` names where a row stood."""
    require_own_ids(sheet, name, place, shapes.repeating)
    history = sheet.history(shapes.answers, ids_repeat=bool(shapes.repeating))
    require_times(history, name, place)
    return history
