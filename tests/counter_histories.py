"""Counter histories for the tests: short ways to write one, and random ones with a known share of defects."""

import random

import msgspec
import numpy as np

from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

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
    """A small history: a real counter's, with reads and unknown outcomes, and often with one or two answers changed."""
    operations, value, time = [], 0, 0
    for _ in range(rng.randint(1, most)):
        time += rng.choice((0, 1, 2, 4))
        start, end = time - rng.choice((0, 0, 1, 2, 3)), time + rng.choice((0, 0, 1, 2, 4))
        kind = rng.random()
        if kind < 0.6:
            value += 1
            operations.append(inc(start, end, value))
        elif kind < 0.75:
            operations.append(read(start, end, value))
        elif kind < 0.95:
            value += rng.random() < 0.6
            operations.append(unknown(start))
        else:
            operations.append(refused(start, end))
    for _ in range(rng.choice((0, 1, 1, 2, 3))):
        _spoil(rng, operations)
    rng.shuffle(operations)
    return operations


def _spoil(rng: random.Random, operations: list[Operation]) -> None:
    """Swaps two answers, copies one, or moves one a little; the result may still be valid."""
    answered = [i for i, operation in enumerate(operations) if operation.status == "ok"]
    if not answered:
        return
    a, b = rng.choice(answered), rng.choice(answered)
    told_a, told_b = operations[a].result or 0, operations[b].result or 0
    new_a, new_b = rng.choice(
        ((told_b, told_a), (told_b, told_a), (told_b, told_b), (told_a + rng.choice((-1, 1)), told_b))
    )
    operations[a] = msgspec.structs.replace(operations[a], result=new_a)
    if a != b:
        operations[b] = msgspec.structs.replace(operations[b], result=new_b)


def valid_history(n: int, seed: int = 0, reads: float = 0.1, unanswered: float = 0.02) -> History:
    """A real counter's history of n operations, all of which take effect, and then three final reads."""
    rng = np.random.default_rng(seed)
    instant = np.cumsum(rng.integers(1, 2_000, n)) + 10_000
    start, end = instant - rng.integers(0, 8_000, n), instant + rng.integers(0, 8_000, n)
    is_read, is_unknown = rng.random(n) < reads, rng.random(n) < unanswered
    value = np.cumsum(~is_read)
    operations = []
    for i in range(n):
        s, e, v = int(start[i]), int(end[i]), int(value[i])
        if is_read[i]:
            operations.append(read(s, e, v))
        else:
            operations.append(unknown(s) if is_unknown[i] else inc(s, e, v))
    quiet = int(end.max()) + 20_000
    finals = [read(quiet + k * 10, quiet + k * 10 + 5, int(value[-1])) for k in range(3)]
    return History.from_operations(operations + finals)
