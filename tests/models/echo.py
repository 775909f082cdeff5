"""Requests that read back what they stored about themselves."""

import random

import msgspec

from models.known import Known, Operations
from statelab.check.models.echo import MODEL
from statelab.core.operation import Operation, ServedBy, Status, Value


def echo(
    start: int, end: int, sent: Value, got: Value | None, key: str = "", by: ServedBy | None = None, process: int = 0
) -> Operation:
    return Operation(
        process=process,
        op="echo",
        start=start,
        end=end,
        status="ok",
        value=sent,
        result=got,
        key=key,
        served_by=by,
    )


def unknown(start: int, sent: Value) -> Operation:
    return Operation(process=0, op="echo", start=start, end=None, status="info", value=sent)


def refused(start: int, end: int, sent: Value) -> Operation:
    return Operation(process=0, op="echo", start=start, end=end, status="fail", value=sent)


def own(operations: Operations, initial: Value | None) -> bool:
    """The promise, one by one."""
    return all(o.result == o.value for o in operations if o.status == "ok")


def small(rng: random.Random) -> Operations:
    """Unique values, mostly read back; at times another's, one that nobody sent, or nothing."""
    values: list[Value] = [f"v{i}" for i in range(7)] if rng.random() < 0.5 else list(range(-3, 4))
    rng.shuffle(values)
    operations = []
    for value in values[: rng.randint(1, 7)]:
        start = rng.randrange(20)
        end, kind = start + rng.randrange(6), rng.random()
        if kind < 0.75:
            got = rng.choice([*values, 99, None]) if rng.random() < 0.2 else value
            operations.append(echo(start, end, value, got))
        else:
            operations.append(unknown(start, value) if kind < 0.9 else refused(start, end, value))
    return operations


def large(n: int, rng: random.Random) -> Operations:
    """Ten clients, one request after the other; one in a hundred gets no answer, one in a hundred is refused."""
    operations = []
    for i in range(n):
        start = i // 10 * 1000 + rng.randrange(400)
        status: Status = rng.choices(("ok", "info", "fail"), (98, 1, 1))[0]
        end = None if status == "info" else start + rng.randrange(1, 500)
        got = f"v{i}" if status == "ok" else None
        operations.append(
            Operation(process=i % 10, op="echo", start=start, end=end, status=status, value=f"v{i}", result=got)
        )
    return operations


def _told(operations: Operations, row: int, got: Value | None) -> Operations:
    operations[row] = msgspec.structs.replace(operations[row], result=got)
    return operations


def _some(operations: Operations, rng: random.Random) -> int:
    return rng.choice([i for i, o in enumerate(operations) if o.status == "ok" and i > 100])


def of_the_one_before(operations: Operations, rng: random.Random) -> Operations:
    """A request gets back what its client sent before."""
    row = _some(operations, rng)
    return _told(operations, row, operations[row - 10].value)


def of_the_one_beside(operations: Operations, rng: random.Random) -> Operations:
    """A request gets back what another client sent at the same time."""
    row = _some(operations, rng)
    return _told(operations, row, operations[row - row % 10 + (row + 1) % 10].value)


def gone(operations: Operations, rng: random.Random) -> Operations:
    """A request gets nothing back."""
    return _told(operations, _some(operations, rng), None)


def made_up(operations: Operations, rng: random.Random) -> Operations:
    """A request gets back what nobody sent."""
    return _told(operations, _some(operations, rng), "nobody's")


KNOWN = Known(
    model=MODEL,
    referee=own,
    small=small,
    accepted={
        "its own value": [echo(0, 1, "x", "x"), echo(0, 1, "y", "y")],
        "no answer says nothing": [unknown(0, "x"), refused(0, 1, "y")],
    },
    rejected={
        "of one that was under way": ([echo(0, 9, "x", "y"), echo(1, 8, "y", "y")], "overlap", [0]),
        "of one that touches": ([echo(5, 9, "x", "y"), echo(1, 5, "y", "y")], "overlap", [0]),
        "of one without an answer": ([unknown(0, "x"), echo(5, 6, "y", "x")], "overlap", [1]),
        "of one that was over": ([echo(0, 1, 1, 1), echo(2, 3, 2, 1)], "residue", [1]),
        "of one that was refused": ([refused(0, 1, 1), echo(2, 3, 2, 1)], "residue", [1]),
        "of one still to come": ([echo(0, 1, 1, 2), echo(2, 3, 2, 2)], "unexpected", [0]),
        "of nobody": ([echo(0, 1, 1, 2)], "unexpected", [0]),
        "nothing": ([echo(0, 1, 1, None)], "missing", [0]),
        "of another key": ([echo(0, 1, 1, 1, "a"), echo(2, 3, 2, 1, "b")], "residue", [1]),
    },
    large=large,
    defects={
        "what was sent before": of_the_one_before,
        "what another sent": of_the_one_beside,
        "nothing": gone,
        "what nobody sent": made_up,
    },
)
