"""One operation from the fields that were given: taken as it is, or refused in words."""

from collections.abc import Mapping
from typing import Any

import msgspec

from statelab.core.operation import Operation
from statelab.core.operation import ServedBy
from statelab.core.operation import Status
from statelab.record.columns import INF
from statelab.record.columns import STATUSES
from statelab.record.reading.rules import ANYTHING
from statelab.record.reading.rules import BOOL
from statelab.record.reading.rules import LIST
from statelab.record.reading.rules import MISSING
from statelab.record.reading.rules import NULL
from statelab.record.reading.rules import NUMBER
from statelab.record.reading.rules import OTHER
from statelab.record.reading.rules import SERVER
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import TEXT
from statelab.record.reading.rules import VALUES
from statelab.record.reading.rules import rules
from statelab.record.reading.words import allowed_in_words
from statelab.record.reading.words import listed
from statelab.record.reading.words import shown
from statelab.record.shapes import Shapes

Record = Mapping[str, Any]

_ABSENT = object()
_PLAIN = {str: TEXT, bool: BOOL, type(None): NULL}
_BECAUSE: dict[tuple[str, Status], str] = {
    ("end", "ok"): '; an operation that got no answer is "info"',
    ("end", "info"): "; when an operation of unknown outcome takes effect is not known",
    ("result", "info"): "; an operation of unknown outcome got no answer",
    ("seen", "info"): "; an operation of unknown outcome got no answer",
}


class Refused(Exception):
    """What is wrong with one operation; where it stands is for others to say."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_server(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(value.get(name), str) if kind is str else _is_number(value.get(name))
        for name, kind in SERVER_FIELDS.items()
    )


def holds(field: str, value: Any) -> int:
    """What a field that is there holds: one bit of the rules."""
    plain = _PLAIN.get(type(value))
    if plain:
        return plain
    if isinstance(value, int):
        return NUMBER if _is_number(value) and not (value == INF and field in ("start", "end")) else OTHER
    if isinstance(value, list):
        return LIST if all(isinstance(item, str) or _is_number(item) for item in value) else OTHER
    return SERVER if field == "served_by" and _is_server(value) else OTHER


class Taker:
    """Takes operations of one model. `null` is what a null holds: in a table the same as a field that is left out."""

    def __init__(self, shapes: Shapes, null: int = NULL) -> None:
        self._shapes = shapes
        self._rules = rules(shapes)
        self._null = null

    def take(self, record: Any) -> Operation:
        """The operation, with those fields that the model gives it; raises Refused."""
        if not isinstance(record, dict):
            raise Refused(f"{shown(record)} is not an operation; an object is expected")
        op, status = self._op(record), self._status(record)
        allowed = self._rules[op, status]
        for field, value in record.items():
            held = self._null if value is None else holds(field, value)
            if not held & allowed.get(field, ANYTHING):
                raise Refused(_unfit(field, f"is {shown(value)}", allowed[field], op, status))
        for field, may in allowed.items():
            if not may & MISSING and field not in record:
                raise Refused(_unfit(field, "is missing", may, op, status))
        if status == "ok":
            self._test_answer(record, op)
        return _made(record, allowed)

    def _op(self, record: Record) -> str:
        op = record.get("op", _ABSENT)
        if isinstance(op, str) and op in self._shapes.operations:
            return op
        known = listed(list(self._shapes.operations), "and")
        what = '"op" is missing' if op is _ABSENT else f"no operation {shown(op)}"
        raise Refused(f"{what}; the model {self._shapes.name} knows {known}")

    def _status(self, record: Record) -> Status:
        status = record.get("status", _ABSENT)
        for known in STATUSES:
            if status == known:
                return known
        what = "is missing; it" if status is _ABSENT else f"is {shown(status)}; it"
        raise Refused(f'"status" {what} must be {listed([shown(known) for known in STATUSES])}')

    def _test_answer(self, record: Record, op: str) -> None:
        """What an answered operation must have beyond fields of the right kind."""
        shape, answers = self._shapes.operations[op], self._shapes.answers
        result = record.get("result")
        if shape.result == "answer" and result is not None and result not in answers:
            raise Refused(f'"result" of {op} is {shown(result)}; it must be {listed([shown(a) for a in answers])}')
        if shape.either and sum(record.get(field) is not None for field in shape.either) != 1:
            fields = listed([f'"{field}"' for field in sorted(shape.either)])
            raise Refused(f"{op} must have exactly one of {fields}")


def _unfit(field: str, what: str, allowed: int, op: str, status: Status) -> str:
    because = _BECAUSE.get((field, status), "")
    return f'"{field}" of {op} ({status}) {what}; it must be {allowed_in_words(allowed)}{because}'


def _made(record: Record, allowed: Mapping[str, int]) -> Operation:
    values = {field: record.get(field) for field in VALUES if allowed[field] != ANYTHING}
    server = record.get("served_by")
    return Operation(
        process=record["process"],
        op=record["op"],
        start=record["start"],
        end=record.get("end"),
        status=record["status"],
        key=record.get("key", ""),
        op_id=record.get("op_id"),
        served_by=None if server is None else msgspec.convert(server, ServedBy),
        error=record.get("error"),
        timed_out=record.get("timed_out", False),
        **values,
    )
