"""A stock of two, sold one by one."""

import random
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.inventory import MODEL
from statelab.core.operation import Operation, Value

STOCK = 2


def bought(start: int, end: int) -> Operation:
    return Operation(process=0, op="buy", start=start, end=end, status="ok", result="ok")


def refused(start: int, end: int) -> Operation:
    return Operation(process=0, op="buy", start=start, end=end, status="ok", result="sold-out")


def unknown(start: int) -> Operation:
    """A buy without an answer: it may have bought, or may do so later, or be sold out, or never happen."""
    return Operation(process=0, op="buy", start=start, end=None, status="info")


def failed(start: int, end: int) -> Operation:
    """A buy that certainly had no effect."""
    return Operation(process=0, op="buy", start=start, end=end, status="fail")


def referee(operations: Operations, initial: Value | None) -> bool:
    def step(left: int, operation: Operation) -> Any:
        answer = "ok" if left else "sold-out"
        new = max(left - 1, 0)
        return new if operation.status == "info" or operation.result == answer else REFUSED

    return explained(operations, initial, step, {"buy"})


def small(rng: random.Random) -> Operations:
    """A real stock's history, often with some answers changed."""
    operations: Operations = []
    left, time = STOCK, 0
    for _ in range(rng.randint(2, 7)):
        time += rng.choice((0, 1, 2, 4))
        start, end = time - rng.choice((0, 0, 1, 2, 3)), time + rng.choice((0, 0, 1, 2, 4))
        kind = rng.random()
        if kind < 0.7:
            operations.append(bought(start, end) if left else refused(start, end))
            left = max(left - 1, 0)
        elif kind < 0.9:
            left = max(left - (rng.random() < 0.6), 0)
            operations.append(unknown(start))
        else:
            operations.append(failed(start, end))
    if rng.random() < 0.75:
        _spoil(rng, operations)
    rng.shuffle(operations)
    return operations


def _spoil(rng: random.Random, operations: Operations) -> None:
    """Turns one answer into the other; the result may still be valid."""
    rows = [i for i, o in enumerate(operations) if o.status == "ok"]
    if rows:
        row = rng.choice(rows)
        other = "sold-out" if operations[row].result == "ok" else "ok"
        operations[row] = msgspec.structs.replace(operations[row], result=other)


def large(n: int, rng: random.Random) -> Operations:
    """A few buy, and very many come too late."""
    operations: Operations = []
    left, time = STOCK, 0
    for _ in range(n):
        time += rng.randint(1, 2000)
        start, end = time - rng.randint(0, 8000), time + rng.randint(0, 8000)
        if rng.random() < 0.02:
            operations.append(unknown(start))
        else:
            operations.append(bought(start, end) if left else refused(start, end))
            left = max(left - 1, 0)
    return operations


def _changed(operations: Operations, row: int, answer: str) -> Operations:
    return [*operations[:row], msgspec.structs.replace(operations[row], result=answer), *operations[row + 1 :]]


def came_back(operations: Operations, rng: random.Random) -> Operations:
    """One of the late ones got one after all."""
    return _changed(operations, rng.choice([i for i, o in enumerate(operations) if o.result == "sold-out"]), "ok")


def too_early(operations: Operations, rng: random.Random) -> Operations:
    """One who comes long before all others is refused."""
    return [refused(-20_000, -10_000), *operations[1:]]


KNOWN = Known(
    model=MODEL,
    clocks=("late-sale",),
    referee=referee,
    small=small,
    accepted={
        "two are sold, and then no more": [bought(0, 1), bought(2, 3), refused(4, 5)],
        "refused beside the one that took the last": [bought(0, 1), bought(2, 9), refused(3, 4)],
        "not all are sold": [bought(0, 1)],
        "an unknown buy that got one": [bought(0, 1), unknown(2), refused(3, 4)],
        "an unknown buy that got none": [unknown(0), bought(1, 2), bought(3, 4)],
        "a failed buy": [failed(0, 1), bought(2, 3), bought(4, 5)],
    },
    rejected={
        "one too many": ([bought(0, 9), bought(0, 9), bought(0, 9)], "oversold", [0, 1, 2]),
        "refused while one was there": ([bought(0, 1), refused(2, 3), bought(4, 5)], "false-sold-out", [1]),
        "two refused while one was there": ([bought(0, 1), refused(2, 4), refused(3, 5)], "false-sold-out", [1, 2]),
        "sold after it was sold out": ([bought(0, 1), unknown(0), refused(2, 3), bought(5, 6)], "late-sale", [2, 3]),
    },
    large=large,
    defects={"one came back": came_back, "refused too early": too_early},
    initial=STOCK,
)
