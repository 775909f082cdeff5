"""Sessions that read and write versions."""

import random

import msgspec

from models.known import Known, Operations
from statelab.check.models.session import MODEL
from statelab.core.operation import Operation, ServedBy, Value


def write(start: int, end: int, version: int, session: int = 0, key: str = "", by: ServedBy | None = None) -> Operation:
    """A client that chose the version."""
    return Operation(
        process=session, op="write", start=start, end=end, status="ok", value=version, key=key, served_by=by
    )


def stored(start: int, end: int, version: int, session: int = 0, key: str = "") -> Operation:
    """A store that answered the version."""
    return Operation(process=session, op="write", start=start, end=end, status="ok", result=version, key=key)


def read(
    start: int, end: int, version: int | None, session: int = 0, key: str = "", by: ServedBy | None = None
) -> Operation:
    return Operation(
        process=session, op="read", start=start, end=end, status="ok", result=version, key=key, served_by=by
    )


def unknown(start: int, version: int | None = None, session: int = 0) -> Operation:
    return Operation(process=session, op="write", start=start, end=None, status="info", value=version)


def refused(start: int, end: int, version: int | None = None, session: int = 0) -> Operation:
    return Operation(process=session, op="write", start=start, end=end, status="fail", value=version)


def version(operation: Operation) -> float:
    number = operation.value if operation.result is None else operation.result
    return float("-inf") if number is None else float(number)


PARTS = {
    "read-your-writes": ("write", "read"),
    "monotonic-reads": ("read", "read"),
    "monotonic-writes": ("write", "write"),
    "writes-follow-reads": ("read", "write"),
}


def kept(operations: Operations, part: str) -> bool:
    """One guarantee by its definition, pair by pair."""
    first, then = PARTS[part]
    return not any(
        (version(a) > version(b) if then == "read" else version(a) >= version(b))
        for a in operations
        for b in operations
        if (a.op, b.op) == (first, then) and a.status == b.status == "ok"
        if a.process == b.process and a.start < b.start
    )


def guaranteed(operations: Operations, initial: Value | None) -> bool:
    return all(kept(operations, part) for part in PARTS)


def small(rng: random.Random) -> Operations:
    """One session or two that mostly go forward."""
    operations, time, top = [], {0: 0, 1: 0}, rng.randrange(-3, 3)
    for _ in range(rng.randint(2, 7)):
        session, kind = rng.choice((0, 0, 1)), rng.random()
        start = time[session] + rng.choice((0, 1, 1, 1, 2))
        end = time[session] = start + rng.randrange(4)
        seen = top + rng.choice((0, 0, 0, -1, -2))
        if kind < 0.45:
            operations.append(read(start, end, None if rng.random() < 0.08 else seen, session))
        elif kind < 0.8:
            top += 1
            operations.append(rng.choice((write, stored))(start, end, seen + rng.choice((1, 1, 1, 0)), session))
        else:
            top += rng.random() < 0.5
            operations.append(unknown(start, top, session) if kind < 0.92 else refused(start, end, top, session))
    rng.shuffle(operations)
    return operations


def large(n: int, rng: random.Random) -> Operations:
    """Ten sessions of one key whose store gives each write the next version; a few writes get no answer."""
    operations, top = [], 0
    for i in range(n):
        session, start = i % 10, i // 10 * 1000 + i % 10 * 40
        end = start + rng.randrange(1, 500)
        if rng.random() < 0.7:
            operations.append(read(start, end, top or None, session))
        else:
            top += 1
            lost = rng.random() < 0.03
            operations.append(unknown(start, session=session) if lost else stored(start, end, top, session))
    return operations


def _some(operations: Operations, rng: random.Random, op: str) -> int:
    late = len(operations) // 2
    return rng.choice([i for i, o in enumerate(operations) if o.op == op and o.status == "ok" and i > late])


def old_read(operations: Operations, rng: random.Random) -> Operations:
    """A read late in the history shows an early version."""
    row = _some(operations, rng, "read")
    operations[row] = msgspec.structs.replace(operations[row], result=5)
    return operations


def read_nothing(operations: Operations, rng: random.Random) -> Operations:
    """A read late in the history shows nothing."""
    row = _some(operations, rng, "read")
    operations[row] = msgspec.structs.replace(operations[row], result=None)
    return operations


def old_write(operations: Operations, rng: random.Random) -> Operations:
    """A write late in the history makes an early version."""
    row = _some(operations, rng, "write")
    operations[row] = msgspec.structs.replace(operations[row], result=5)
    return operations


KNOWN = Known(
    model=MODEL,
    referee=guaranteed,
    small=small,
    accepted={
        "forward": [write(0, 1, 1), read(2, 3, 1), stored(4, 5, 2), read(6, 7, 4), read(8, 9, 4)],
        "nothing yet": [read(0, 1, None), read(2, 3, None), write(4, 5, -8)],
        "another session may lag behind": [write(0, 1, 2), read(2, 3, 1, 1), read(4, 5, None, 2)],
        "another key may lag behind": [write(0, 1, 2, key="k"), read(2, 3, 1, key="l")],
        "a write without an answer imposes nothing": [unknown(0, 5), read(1, 2, 3), read(3, 4, 5)],
        "a refused write imposes nothing": [refused(0, 1, 5), read(2, 3, None)],
        "at the same moment there is no order": [write(0, 1, 5), read(0, 2, 3)],
    },
    rejected={
        "own write not read": ([write(0, 1, 2), read(2, 3, 1)], "read-your-writes", [0, 1]),
        "own write gone": ([stored(0, 1, 2), read(2, 3, None)], "read-your-writes", [0, 1]),
        "reads go back": ([read(0, 1, 2), read(2, 3, 1)], "monotonic-reads", [0, 1]),
        "writes go back": ([write(0, 1, 2), stored(2, 3, 1)], "monotonic-writes", [0, 1]),
        "one version written twice": ([stored(0, 1, 2), stored(2, 3, 2)], "monotonic-writes", [0, 1]),
        "a write before what was read": ([read(0, 1, 2), write(2, 3, 1)], "writes-follow-reads", [0, 1]),
        "a version read before it was written": ([read(0, 1, 2), write(2, 3, 2)], "writes-follow-reads", [0, 1]),
        "the furthest back": (
            [read(0, 1, 5), read(2, 3, 4), read(4, 5, 9), read(6, 7, 9), read(8, 9, 7)],
            "monotonic-reads",
            [3, 4],
        ),
    },
    large=large,
    defects={"an old read": old_read, "an empty read": read_nothing, "an old write": old_write},
)
