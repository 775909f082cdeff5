"""What each field of an operation may hold: one table for a model, for single operations and for whole columns.

What a field holds is one bit, and what it may hold a set of them. So a column of fields is tested by one `&`, and a
single field is refused in words that name the same set.
"""

from typing import Any

import msgspec

from statelab.core.errors import listed, shown
from statelab.core.foreign_names import MEANT, OTHERS
from statelab.core.operation import Operation, ServedBy, Status
from statelab.record.coding import VALUES
from statelab.record.columns import INF, STATUSES
from statelab.record.shapes import Kind, Shape, Shapes

MISSING, NULL, NUMBER, TEXT, BOOL, LIST, SERVER, OTHER = (1 << bit for bit in range(8))
"""`NUMBER` is a 64-bit integer, `LIST` one of integers and texts, `SERVER` a whole `ServedBy`, `OTHER` all else."""

ANYTHING = 255
EMPTY = MISSING | NULL

REQUIRED = ("process", "op", "start", "status")
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

_WORDS = {
    NUMBER: "an integer of 64 bits",
    TEXT: "a text",
    BOOL: "true or false",
    LIST: "a list of integers and texts",
    SERVER: f"an object with {', '.join(SERVER_FIELDS)}",
    NULL: "null",
    MISSING: "left out",
}
_BECAUSE: dict[tuple[str, Status], str] = {
    ("end", "ok"): '; an operation that got no answer is "info"',
    ("end", "info"): "; when an operation of unknown outcome takes effect is not known",
    ("result", "info"): "; an operation of unknown outcome got no answer",
    ("seen", "info"): "; an operation of unknown outcome got no answer",
}
_ABSENT = object()


class Refused(Exception):
    """What is wrong with one operation; the caller adds where it stands."""


def rules_of(shapes: Shapes) -> dict[tuple[str, Status], dict[str, int]]:
    """For each operation of the model and each status, what its fields may hold.

    The answer of a failed operation says nothing, and one of unknown outcome has none.
    """

    def held(shape: Shape, field: str) -> int:
        kind: Kind | None = getattr(shape, field)
        if kind is None:
            return EMPTY
        answer = BOOL if isinstance(shapes.answers[0], bool) else TEXT
        nothing = NULL * (field in shape.nothing) | EMPTY * (field in shape.optional)
        return _KINDS.get(kind, answer) | nothing | EMPTY * (field in shape.either)

    answers = {"fail": ANYTHING, "info": EMPTY}
    return {
        (op, status): {
            **_ALWAYS,
            "end": _END[status],
            **{field: answers.get(status, held(shape, field)) for field in ("result", "seen")},
            **{field: held(shape, field) for field in ("value", "expected")},
            "op_id": TEXT if shape.op_id else EMPTY | TEXT,
        }
        for op, shape in shapes.operations.items()
        for status in STATUSES
    }


def owned_fields(shapes: Shapes) -> set[str]:
    """The fields that an operation of the model may have; all others are ignored."""
    return {field for each in rules_of(shapes).values() for field, may in each.items() if may != ANYTHING}


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _holds(field: str, value: Any) -> int:
    """What a field that is there holds: one bit of the rules."""
    match value:
        case None:
            return NULL
        case str():
            return TEXT
        case bool():
            return BOOL
        case int():
            fits = _is_number(value) and not (value == INF and field in ("start", "end"))
            return NUMBER if fits else OTHER
        case list():
            return LIST if all(isinstance(item, str) or _is_number(item) for item in value) else OTHER
        case dict() if field == "served_by":
            fits = all(
                isinstance(value.get(name), str) if kind is str else _is_number(value.get(name))
                for name, kind in SERVER_FIELDS.items()
            )
            return SERVER if fits else OTHER
    return OTHER


class Taker:
    """Takes single operations of one model. `null`: what a null holds; in a table it may also be a missing field."""

    def __init__(self, shapes: Shapes, null: int = NULL) -> None:
        self._shapes, self._rules, self._null = shapes, rules_of(shapes), null

    def take(self, record: Any) -> Operation:
        """The operation, with those fields that the model gives it; raises Refused."""
        if not isinstance(record, dict):
            raise Refused(f"{shown(record)} is not an operation; an object is expected")
        op, status, shapes = record.get("op", _ABSENT), record.get("status", _ABSENT), self._shapes
        if not isinstance(op, str) or op not in shapes.operations:
            what = '"op" is missing' if op is _ABSENT else f"no operation {shown(op)}"
            raise Refused(f"{what}; the model {shapes.name} knows {listed(list(shapes.operations), 'and')}")
        if not isinstance(status, str) or status not in STATUSES:
            what = "is missing" if status is _ABSENT else f"is {shown(status)}"
            raise Refused(f'"status" {what}; it must be {listed([shown(known) for known in STATUSES])}')
        shape, allowed, meant = shapes.operations[op], self._rules[op, status], MEANT.get(op, OTHERS)
        for field, value in record.items():
            held = self._null if value is None else _holds(field, value)
            if not held & allowed.get(field, ANYTHING):
                raise self._unfit(field, f"is {shown(value)}", allowed[field], op, status)
            if field in meant and value not in (None, meant[field]) and field not in allowed:
                raise Refused(
                    f'"{field}" of {op} is {shown(value)}, and the model {self._shapes.name} reads no such field; '
                    "leave it out if it says nothing of what the operation did"
                )
        for field, may in allowed.items():
            if not may & MISSING and field not in record:
                raise self._unfit(field, "is missing", may, op, status)
        if status == "ok":
            result = record.get("result")
            if shape.result == "answer" and result is not None and result not in shapes.answers:
                answers = listed([shown(answer) for answer in shapes.answers])
                raise Refused(f'"result" of {op} is {shown(result)}; it must be {answers}')
            if shape.either and sum(record.get(field) is not None for field in shape.either) != 1:
                fields = listed([f'"{field}"' for field in sorted(shape.either)])
                raise Refused(f"{op} must have exactly one of {fields}")
        own = {field: value for field, value in record.items() if allowed.get(field, ANYTHING) != ANYTHING}
        server = own.get("served_by")
        return Operation(**own | {"end": own.get("end"), "served_by": server and msgspec.convert(server, ServedBy)})

    def _unfit(self, field: str, what: str, allowed: int, op: str, status: Status) -> Refused:
        may = listed([word for bit, word in _WORDS.items() if allowed & bit])
        because = _BECAUSE.get((field, status), "")
        if field in VALUES and getattr(self._shapes.operations[op], field) is None:
            because = f"; the model {self._shapes.name} reads no {field} of this operation"
        return Refused(f'"{field}" of {op} ({status}) {what}; it must be {may}{because}')
