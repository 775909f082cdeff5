"""The way from any file to a history: our own lines and tables as they are, other formats by way of our own lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

from statelab.core.errors import BadInput
from statelab.core.errors import require_known
from statelab.core.operation import Unit
from statelab.foreign.formats import FORMATS
from statelab.foreign.refused import Refused
from statelab.record.columns import History
from statelab.record.reading.lines import LineReader
from statelab.record.reading.lines import RefusedLine
from statelab.record.reading.read import PARQUET
from statelab.record.reading.read import checked
from statelab.record.reading.read import name_of
from statelab.record.reading.read import opened
from statelab.record.reading.read import peeked
from statelab.record.reading.read import read_stream
from statelab.record.reading.read import rejoined
from statelab.record.shapes import Shapes

_HEAD = 2**16
"""So many bytes are looked at to tell the format."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A history, the name of the model that judges it, and how it was read: None for our own lines and tables."""

    history: History
    model: str
    how: str | None = None


def read(source: str, models: Mapping[str, Shapes], model: str | None, unit: Unit | None = None) -> Reading:
    """The history in a file, or on standard input (`-`), whatever known format it is in.

    `model` is the one that the person named; without it, it is that of the operations. `unit` is that of the stamps,
    if the person names one. Raises BadInput with one line: file, line, what is wrong.
    """
    if model is not None:
        require_known("model", [model], list(models))
    name = name_of(source)
    with opened(Path(source), name) as stream:
        first, whole = peeked(stream)
        if first == PARQUET:
            reading = _own(whole, name, models, model)
        else:
            head = whole.read(_HEAD)
            found = next((form for form in FORMATS if form.sniff(head)), None)
            rest = rejoined(head, whole)
            reading = _other(rest.read(), found, name, models, model) if found else _own(rest, name, models, model)
    return reading if unit is None else replace(reading, history=replace(reading.history, unit=unit))


def _own(stream: BinaryIO, name: str, models: Mapping[str, Shapes], model: str | None) -> Reading:
    if model is None:
        raise BadInput(f"{name}: name the model with --model: {', '.join(models)}")
    return Reading(read_stream(stream, name, models[model]), model)


def _other(data: bytes, form: ModuleType, name: str, models: Mapping[str, Shapes], model: str | None) -> Reading:
    try:
        records = form.read(data.decode("utf-8-sig"), model)
    except UnicodeDecodeError:
        raise BadInput(f"{name}: not UTF-8") from None
    except Refused as refused:
        where = name if refused.line is None else f"{name}, line {refused.line}"
        raise BadInput(f"{where}: {refused} (read as {form.NAME})") from None
    if not records.operations:
        raise BadInput(f"{name}: no operations in it (read as {form.NAME})")
    model = model or records.model
    if model is None:
        raise BadInput(f"{name}: name the model with --model: {', '.join(models)}")
    require_known("model", [model], list(models))
    shapes = models[model]
    alone = len(set(records.lines)) == len(records.lines)

    def place(row: int) -> str:
        return f"line {records.lines[row]}" + ("" if alone else f", operation {row + 1}")

    try:
        sheet, _ = LineReader(shapes).read(b"".join(line + b"\n" for line in records.operations))
    except RefusedLine as refused:
        raise BadInput(f"{name}, {place(refused.line)}: {refused} (read as {form.NAME})") from None
    history = replace(checked(sheet, name, place, shapes), unit=records.unit)
    return Reading(history, model, f"{form.NAME}, {', '.join(records.counts)}")
