"""What each field of an operation may hold: one table for a model, which every way of reading goes by.

What a field holds is one bit of `Holds`, and what it may hold a set of them. So a column of fields is tested by one
`&`, and a single field is refused in words that name the same set.
"""

from collections.abc import Mapping
from typing import Literal

from statelab.core.operation import Status
from statelab.record.columns import STATUSES
from statelab.record.shapes import Kind
from statelab.record.shapes import Shape
from statelab.record.shapes import Shapes

MISSING, NULL, NUMBER, TEXT, BOOL, LIST, SERVER, OTHER = (1 << bit for bit in range(8))
"""`NUMBER` is a 64-bit integer, `LIST` one of integers and texts, `SERVER` a whole `ServedBy`, `OTHER` all else."""

ANYTHING = 255
EMPTY = MISSING | NULL

VALUES = ("result", "value", "expected", "seen")
FIELDS = ("process", "op", "key", "start", "end", "status", *VALUES, "op_id", "served_by", "error", "timed_out")
SERVER_FIELDS: dict[str, type] = {"host": str, "pid": int, "thread": int, "greenlet": int, "boot": str}

_ALWAYS: dict[str, int] = {
    "process": NUMBER | TEXT,
    "op": TEXT,
    "key": MISSING | TEXT,
    "start": NUMBER,
    "status": TEXT,
    "served_by": EMPTY | SERVER,
    "error": EMPTY | TEXT,
    "timed_out": MISSING | BOOL,
}
_END: dict[Status, int] = {"ok": NUMBER, "fail": EMPTY | NUMBER, "info": EMPTY}
_KINDS: dict[Kind, int] = {"integer": NUMBER, "text": TEXT, "value": NUMBER | TEXT, "values": LIST}


def _answers(shapes: Shapes) -> int:
    return BOOL if isinstance(shapes.answers[0], bool) else TEXT


def _kind(shapes: Shapes, shape: Shape, field: Literal["result", "value", "expected", "seen"]) -> int:
    kind: Kind | None = getattr(shape, field)
    if kind is None:
        return ANYTHING
    held = _answers(shapes) if kind == "answer" else _KINDS[kind]
    nothing = NULL if field in shape.nothing else 0
    left_out = MISSING if field in shape.optional else 0
    return held | nothing | left_out | (EMPTY if field in shape.either else 0)


def _answer(shapes: Shapes, shape: Shape, status: Status, field: Literal["result", "seen"]) -> int:
    """What an answer may hold: that of a failed operation says nothing, and one of unknown outcome has none."""
    return {"ok": _kind(shapes, shape, field), "fail": ANYTHING, "info": EMPTY}[status]


def _fields(shapes: Shapes, shape: Shape, status: Status) -> dict[str, int]:
    return {
        **_ALWAYS,
        "end": _END[status],
        "result": _answer(shapes, shape, status, "result"),
        "seen": _answer(shapes, shape, status, "seen"),
        "value": _kind(shapes, shape, "value"),
        "expected": _kind(shapes, shape, "expected"),
        "op_id": TEXT if shape.op_id else EMPTY | TEXT,
    }


Rules = Mapping[tuple[str, Status], Mapping[str, int]]


def rules(shapes: Shapes) -> Rules:
    """For each operation of the model and each status, what its fields may hold."""
    return {
        (op, status): _fields(shapes, shape, status) for op, shape in shapes.operations.items() for status in STATUSES
    }
