"""A history as JSON Lines, one operation a line: the form in which histories are exchanged."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import msgspec

from statelab.check.models import MODELS
from statelab.core.operation import Operation
from statelab.record.coding import VALUES
from statelab.record.columns import History

_REQUEST = ("value", "expected")


@cache
def _may_be_null(op: str) -> frozenset[str]:
    """The fields of an operation whose null says something; operations of one name are alike in all models."""
    shapes = (model.operations.get(op) for model in MODELS.values())
    return frozenset[str]().union(*(shape.nothing for shape in shapes if shape))


def as_record(operation: Operation) -> dict[str, Any]:
    """An operation as the object that stands for it in JSON: what it does not have is left out."""
    told = VALUES if operation.status == "ok" else _REQUEST
    nothing = _may_be_null(operation.op)
    values = {field: getattr(operation, field) for field in VALUES}
    record = {
        "process": operation.process,
        "op": operation.op,
        "key": operation.key,
        **{name: value for name, value in values.items() if value is not None or (name in told and name in nothing)},
        "start": operation.start,
        "end": operation.end,
        "status": operation.status,
        "op_id": operation.op_id,
        "served_by": operation.served_by,
        "error": operation.error,
        "timed_out": operation.timed_out,
    }
    empty = {"key": "", "op_id": None, "served_by": None, "error": None, "timed_out": False}
    return {name: value for name, value in record.items() if name not in empty or value != empty[name]}


def as_lines(history: History, rows: Iterable[int] | None = None) -> Iterator[bytes]:
    """The operations of some rows, or of all, as JSON lines, each with its newline; `read` takes them again."""
    encode = msgspec.json.Encoder().encode
    for row in range(len(history)) if rows is None else rows:
        yield encode(as_record(history.operation(row))) + b"\n"


def as_file(history: History) -> Iterator[bytes]:
    """A whole history as lines; the first says what the stamps count, if that is known."""
    if history.unit is not None:
        yield msgspec.json.encode({"unit": history.unit}) + b"\n"
    yield from as_lines(history)
