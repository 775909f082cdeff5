"""Counter histories for the tests: short ways to write one, and random ones with a known share of defects."""

import random
from collections.abc import Iterable

import numpy as np

from statelab.columns import History
from statelab.history import Operation
from statelab.history import ServedBy

MS = 1_000_000


def server(pid: int = 1, thread: int = 1, greenlet: int = 0, host: str = "a") -> ServedBy:
    return ServedBy(host=host, pid=pid, thread=thread, greenlet=greenlet, boot=f"{host}-boot-{pid}")


def inc(start: int, end: int, told: int, by: ServedBy | None = None, key: str = "") -> Operation:
    """An acknowledged increment."""
    return _operation("increment", start, end, told, by, key)


def read(start: int, end: int, seen: int | None, by: ServedBy | None = None, key: str = "") -> Operation:
    """An answered read."""
    return _operation("read", start, end, seen, by, key)


def unknown(start: int, key: str = "") -> Operation:
    """An increment that got no answer: it may have taken effect, or may do so later."""
    return Operation(process=0, op="increment", start=start, end=None, status="info", key=key)


def refused(start: int, end: int) -> Operation:
    """An increment that certainly had no effect."""
    return Operation(process=0, op="increment", start=start, end=end, status="fail")


def _operation(op: str, start: int, end: int, result: int | None, by: ServedBy | None, key: str) -> Operation:
    return Operation(
        process=0, op=op, start=start, end=end, status="ok", result=result, served_by=by, key=key, op_id=f"{op}@{start}"
    )


def history(*operations: Operation) -> History:
    return History.from_operations(operations)


def random_operations(rng: random.Random, most: int = 7) -> list[Operation]:
    """A small history: a real counter's with unknown outcomes and reads, half of the time with some answers changed."""
    operations, value, time = [], 0, 0
    for _ in range(rng.randint(1, most)):
        time += rng.choice((0, 1, 1, 2))
        start, end = max(0, time - rng.choice((0, 0, 1, 2, 3))), time + rng.choice((0, 0, 1, 2, 3))
        kind = rng.random()
        if kind < 0.55:
            value += 1
            operations.append(inc(start, end, value))
        elif kind < 0.75:
            operations.append(read(start, end, value))
        elif kind < 0.95:
            value += rng.random() < 0.6
            operations.append(unknown(start))
        else:
            operations.append(refused(start, end))
    if rng.random() < 0.5:
        operations = [_changed(rng, operation) for operation in operations]
    rng.shuffle(operations)
    return operations


def _changed(rng: random.Random, operation: Operation) -> Operation:
    if operation.status != "ok" or operation.result is None or rng.random() < 0.7:
        return operation
    make = inc if operation.op == "increment" else read
    return make(operation.start, operation.end or 0, max(0, operation.result + rng.choice((-1, 1, 2))))


def valid_history(n: int, clients: int = 8, seed: int = 0, reads: float = 0.1, lost_answers: float = 0.02) -> History:
    """A real counter's history of n operations by clients that each do one at a time, then three final reads."""
    rng = np.random.default_rng(seed)
    instant = np.cumsum(rng.integers(1, 2_000, n))
    is_read, is_unknown = rng.random(n) < reads, rng.random(n) < lost_answers
    value = np.cumsum(~is_read)
    free = np.zeros(clients, np.int64)
    operations = []
    for i in range(n):
        client = i % clients
        start = max(int(free[client]), int(instant[i] - rng.integers(0, 8_000)))
        end = int(instant[i] + rng.integers(0, 8_000))
        make = read if is_read[i] else inc
        operations.append(unknown(start) if is_unknown[i] and not is_read[i] else make(start, end, int(value[i])))
        free[client] = end + 1
    quiet = int(instant[-1]) + 20_000
    final = (read(quiet + k * 10, quiet + k * 10 + 5, int(value[-1])) for k in range(3))
    return History.from_operations([*operations, *final])


def with_operation(given: History, row: int, operation: Operation) -> History:
    """The history with one operation replaced."""
    operations = given.operations()
    operations[row] = operation
    return History.from_operations(operations)


def rows_of(given: History, op: str) -> Iterable[int]:
    return (int(row) for row in np.flatnonzero(given.is_op(op) & (given.status == 0)))
