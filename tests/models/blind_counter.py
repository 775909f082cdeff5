"""The blind counter: increments that are told nothing, and reads."""

import random
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.blind_counter.model import MODEL
from statelab.core.operation import Operation, Status, Value


def inc(start: int, end: int) -> Operation:
    return Operation(process=0, op="increment", start=start, end=end, status="ok")


def read(start: int, end: int, shown: int | None) -> Operation:
    return Operation(process=0, op="read", start=start, end=end, status="ok", result=shown)


def unknown(start: int) -> Operation:
    """An increment without an answer: it may have taken effect, or may do so later, or never."""
    return Operation(process=0, op="increment", start=start, end=None, status="info")


def added(start: int, end: int | None, amount: int) -> Operation:
    """An increment by an amount; without an end its outcome is unknown."""
    status: Status = "info" if end is None else "ok"
    return Operation(process=0, op="increment", start=start, end=end, status=status, value=amount)


def refused(start: int, end: int) -> Operation:
    """An increment that certainly had no effect."""
    return Operation(process=0, op="increment", start=start, end=end, status="fail")


def referee(operations: Operations, initial: Value | None) -> bool:
    def step(value: int, operation: Operation) -> Any:
        if operation.op == "increment":
            return value + (operation.value if isinstance(operation.value, int) else 1)
        shown = initial if operation.result is None else operation.result
        return value if shown == value else REFUSED

    return explained(operations, initial, step, {"increment"})


def small(rng: random.Random, amounts: float = 0.4) -> Operations:
    """A real counter's history, most often with some reads changed, so that every kind of violation occurs.

    `amounts`: in which share of them increments carry one."""
    operations: Operations = []
    value = time = 0
    with_amounts = rng.random() < amounts
    for _ in range(rng.randint(2, 7)):
        time += rng.choice((0, 1, 2, 4))
        start, end = time - rng.choice((0, 0, 1, 2, 3)), time + rng.choice((0, 0, 1, 2, 4))
        kind = rng.random()
        if kind < 0.45:
            by = rng.choice((-1, 1, 2, 3, 5)) if with_amounts else None
            value += 1 if by is None else by
            operations.append(msgspec.structs.replace(inc(start, end), value=by))
        elif kind < 0.8:
            operations.append(read(start, end, value if value or rng.random() < 0.5 else None))
        elif kind < 0.95:
            by = rng.choice((-1, 1, 2, 3, 5)) if with_amounts else None
            value += (1 if by is None else by) * (rng.random() < 0.6)
            operations.append(msgspec.structs.replace(unknown(start), value=by))
        else:
            operations.append(refused(start, end))
    for _ in range(rng.choice((0, 1, 1, 2))):
        _spoil(rng, operations)
    rng.shuffle(operations)
    return operations


def _spoil(rng: random.Random, operations: Operations) -> None:
    """Changes what one read showed, mostly by one; the result may still be valid."""
    rows = [i for i, o in enumerate(operations) if o.op == "read"]
    if rows:
        row = rng.choice(rows)
        moved = (operations[row].result or 0) + rng.choice((-1, -1, -1, 1, 1, -2, 2))
        operations[row] = msgspec.structs.replace(operations[row], result=moved)


def large(n: int, rng: random.Random) -> Operations:
    """About ten clients at a time, and a final read; no increment without an answer took effect."""
    operations: Operations = []
    value = time = latest = 0
    for _ in range(n - 1):
        time += rng.randint(1, 2000)
        start, end = time - rng.randint(0, 8000), time + rng.randint(0, 8000)
        latest = max(latest, end)
        kind = rng.random()
        value += kind >= 0.21
        if kind < 0.2:
            operations.append(read(start, end, value))
        else:
            operations.append(unknown(start) if kind < 0.21 else inc(start, end))
    return [*operations, read(latest + 10, latest + 20, value)]


def _changed(operations: Operations, row: int, shown: int) -> Operations:
    return [*operations[:row], msgspec.structs.replace(operations[row], result=shown), *operations[row + 1 :]]


def _later_reads(operations: Operations) -> list[int]:
    return [i for i, o in enumerate(operations) if o.op == "read" and i > len(operations) // 2]


def lost(operations: Operations, rng: random.Random) -> Operations:
    """One increment is gone: every read that started after it had ended shows one less."""
    row = rng.choice([i for i, o in enumerate(operations) if o.op == "increment" and o.status == "ok"])
    return [_less(o) if o.op == "read" and o.start > (operations[row].end or 0) else o for o in operations]


def _less(read: Operation) -> Operation:
    assert isinstance(read.result, int)
    return msgspec.structs.replace(read, result=read.result - 1)


def from_the_past(operations: Operations, rng: random.Random) -> Operations:
    """A read late in the history shows an early value."""
    row = rng.choice(_later_reads(operations))
    shown = operations[row].result
    assert isinstance(shown, int)
    return _changed(operations, row, shown // 3)


def from_the_future(operations: Operations, rng: random.Random) -> Operations:
    """A read shows more than had been asked for."""
    row = rng.choice(_later_reads(operations))
    return _changed(operations, row, len(operations))


KNOWN = Known(
    model=MODEL,
    clocks=("too-high", "inversion", "missing"),
    referee=referee,
    small=small,
    accepted={
        "one after the other": [inc(0, 1), read(2, 3, 1), inc(4, 5), read(6, 7, 2)],
        "nothing counted yet": [read(0, 1, None), read(2, 3, 0), inc(4, 5)],
        "a read beside an increment, before it": [inc(0, 9), read(1, 8, 0)],
        "a read beside an increment, after it": [inc(0, 9), read(1, 8, 1)],
        "an unknown increment that took effect late": [unknown(0), read(1, 2, 0), read(3, 4, 1)],
        "an unknown increment that never did": [unknown(0), read(1, 2, 0)],
        "a refused increment": [refused(0, 1), read(2, 3, 0)],
        "by its amount": [added(0, 1, 5), read(2, 3, 5), added(4, 5, -2), read(6, 7, 3)],
        "one unknown amount of two": [inc(0, 1), added(0, None, 5), added(0, None, 3), read(2, 3, 4), read(4, 5, 9)],
    },
    rejected={
        "less than the beginning": ([read(0, 1, -1)], "too-low", [0]),
        "more than was asked for": ([inc(0, 1), read(2, 3, 2), inc(4, 5)], "too-high", [1]),
        "the counter went down": ([inc(0, 9), read(1, 2, 1), read(3, 4, 0)], "inversion", [1, 2]),
        "an increment that a later read misses": ([inc(0, 1), read(2, 3, 0)], "missing", [0, 1]),
        "one of two is missing": ([inc(0, 1), inc(0, 2), read(3, 4, 1)], "missing", [0, 1, 2]),
        "no sum of the amounts": (
            [added(0, 1, 5), added(0, None, 3), read(2, 3, 7), read(4, 5, 8)],
            "no-order",
            [2],
        ),
        "an amount that a later read misses": ([added(0, 1, 5), read(2, 3, 0)], "no-order", [0, 1]),
        "missing between two reads": (
            [unknown(0), unknown(0), read(1, 2, 2), inc(3, 4), read(5, 6, 2)],
            "missing",
            [2, 3, 4],
        ),
    },
    large=large,
    defects={"an increment lost": lost, "a read from the past": from_the_past, "a read too high": from_the_future},
    initial=0,
)
