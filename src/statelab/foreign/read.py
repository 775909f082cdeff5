"""Reads any file as a history: our own lines and tables directly, other formats by translation into our own lines."""

import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, TypeVar

import msgspec
import pyarrow.parquet

from statelab.core.errors import BadInput, require_known
from statelab.core.operation import UNITS, Unit
from statelab.foreign.formats import FORMATS
from statelab.foreign.pairing import SECONDS
from statelab.foreign.refused import Refused
from statelab.foreign.seconds import table_in_ns
from statelab.foreign.source import PARQUET, name_of, opened, peeked, read_stream, rejoined
from statelab.foreign.unknown import seems
from statelab.record.coding import pa
from statelab.record.columns import History
from statelab.record.reading.consistency import checked
from statelab.record.reading.lines import LineReader, RefusedLine
from statelab.record.shapes import Shapes

pq: Any = pyarrow.parquet

T = TypeVar("T")

_HEAD = 2**16
"""The format is told by this many bytes."""

_HEADER = re.compile(rb'\s*\{\s*"unit"\s*:\s*"(' + "|".join(UNITS).encode() + rb')"\s*\}[ \t\r]*(?:\n|$)')
"""The first line of our own files may say what the stamps count."""


class _Op(msgspec.Struct):
    op: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A history, the name of the model that judges it, and how it was read: None for our own lines and tables."""

    history: History
    model: str
    how: str | None = None
    seconds: bool = False


def read(source: str, models: Mapping[str, Shapes], model: str | None, unit: Unit | None = None) -> Reading:
    """The history in a file, or on standard input (`-`), whatever known format it is in.

    `model` is the one that the person named; without it, it is that of the operations. `unit` is that of the stamps,
    if the person names one. Raises BadInput with one line: file, line, what is wrong.
    """
    if model is not None:
        require_known("model", [model], list(models))
    name, named = name_of(source), [unit] if unit else []
    with opened(Path(source), name) as stream:
        first, whole = peeked(stream)
        if first == PARQUET:
            reading = _table(whole, name, models, model)
        else:
            head = whole.read(_HEAD)
            if header := _HEADER.match(head):
                named.insert(0, next(known for known in UNITS if known.encode() == header[1]))
                head = b"\n" + head[header.end() :]
            found = next((form for form in FORMATS if form.sniff(head)), None)
            rest = rejoined(head, whole)
            if found is not None:
                reading = _other(rest.read(), found, name, models, model)
            elif (what := seems(head)) is not None:
                raise BadInput(f"{name}: not a history; it seems to be {what}")
            else:
                reading = _own(rest, name, models, model)
    for each in named:  # by the file's first line, and by the person, who has the last word
        if reading.history.unit == "event":
            raise BadInput(f"{name}: it has no times but the order of its events, which has no unit; leave --unit out")
        if reading.seconds and each != "s":
            raise BadInput(f"{name}: stamps with fractions are seconds, not {each}; leave --unit out")
        if not reading.seconds:
            reading = replace(reading, history=replace(reading.history, unit=each))
    return reading


def _table(stream: BinaryIO, name: str, models: Mapping[str, Shapes], model: str | None) -> Reading:
    """Parquet, whose stamps may be seconds with fractions."""
    whole = stream if stream.seekable() else io.BytesIO(stream.read())
    try:
        in_ns = table_in_ns(whole)
    except Refused as refused:
        raise BadInput(f"{name}: {refused}") from None
    whole.seek(0)
    reading = _own(in_ns or whole, name, models, model)
    return replace(reading, how=f"Parquet, {SECONDS}", seconds=True) if in_ns else reading


def _own(stream: BinaryIO, name: str, models: Mapping[str, Shapes], model: str | None) -> Reading:
    """Our own lines or table."""
    if model is not None:
        return Reading(read_stream(stream, name, models[model]), model)
    data = stream.read()
    if data.startswith(PARQUET):
        try:
            names = set(pq.read_table(io.BytesIO(data), columns=["op"])["op"].unique().to_pylist())
        except (pa.ArrowException, OSError):
            names = set[str]()
    else:
        names = _names(data.split(b"\n"))
    return first_that_reads(
        fitting(names, models),
        name,
        lambda each: Reading(read_stream(io.BytesIO(data), name, models[each]), each),
        models,
    )


def _names(lines: Iterable[bytes]) -> set[str]:
    """The names of the operations in our own lines, as far as they can be read."""
    found, decode = set[str](), msgspec.json.Decoder(_Op).decode
    for line in lines:
        try:
            found.add(decode(line).op)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            continue
    return found


def fitting(names: set[str], models: Mapping[str, Shapes]) -> list[str]:
    """The models that know all of the operations."""
    return [model for model in models if names and names <= models[model].operations.keys()]


def first_that_reads(fitting: list[str], name: str, take: Callable[[str], T], models: Mapping[str, Shapes]) -> T:
    """What is taken for the first of the models, in the order of the docs, whose form the operations have; raises
    BadInput."""
    why: BadInput | None = None
    for model in fitting:
        try:
            return take(model)
        except BadInput as error:
            why = why or error
    raise why or BadInput(f"{name}: name the model with --model: {', '.join(models)}")


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
    fit = [model] if model else list(records.models) or fitting(_names(records.operations), models)
    require_known("model", fit, list(models))
    alone = len(set(records.lines)) == len(records.lines)

    def place(row: int) -> str:
        return f"line {records.lines[row]}" + ("" if alone else f", operation {row + 1}")

    def take(each: str) -> Reading:
        shapes = models[each]
        try:
            sheet, _ = LineReader(shapes).read([line + b"\n" for line in records.operations])
        except RefusedLine as refused:
            raise BadInput(f"{name}, {place(refused.line)}: {refused} (read as {form.NAME})") from None
        return Reading(replace(checked(sheet, name, place, shapes), unit=records.unit), each)

    reading = first_that_reads(fit, name, take, models)
    return replace(reading, how=f"{form.NAME}, {', '.join(records.counts)}", seconds=records.seconds)
