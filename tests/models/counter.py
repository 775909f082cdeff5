"""The counter: increments and decrements that return the new value."""

import random
from typing import Any

import msgspec

from counter_histories import inc, random_operations, read, refused, unknown, valid_history
from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.counter.model import MODEL
from statelab.core.operation import Operation, Value

WIDE = (0, 2, 3, 5)

STEP = {"increment": 1, "decrement": -1, "read": 0}


def referee(operations: Operations, initial: Value | None) -> bool:
    def step(value: int, operation: Operation) -> Any:
        by = operation.value if isinstance(operation.value, int) else 1
        new = value + by * STEP[operation.op]
        told = initial if operation.result is None else operation.result
        return new if operation.status == "info" or told == new else REFUSED

    return explained(operations, initial, step, {"increment", "decrement"})


def dec(start: int, end: int, told: int) -> Operation:
    """An acknowledged decrement."""
    return msgspec.structs.replace(inc(start, end, told), op="decrement")


def unknown_dec(start: int) -> Operation:
    """A decrement that got no answer."""
    return msgspec.structs.replace(unknown(start), op="decrement")


def added(start: int, end: int | None, amount: int, told: int | None = None) -> Operation:
    """An increment by an amount; without an end its outcome is unknown."""
    by = unknown(start) if end is None else inc(start, end, told or 0)
    return msgspec.structs.replace(by, value=amount)


def small(rng: random.Random) -> Operations:
    """A counter that goes up, or down, or both ways, or by amounts."""
    way = rng.choice(("up", "down", "both", "crowded", "amounts"))
    if way in ("both", "crowded"):
        return both_ways(rng, crowded=way == "crowded")
    if way == "amounts":
        return both_ways(rng, amounts=(-2, 0, 1, 2, 3, 5), crowded=rng.random() < 0.3)
    operations = random_operations(rng)
    return operations if way == "up" else mirrored(operations)


def mirrored(operations: Operations) -> Operations:
    """Decrements for increments, and every number with the other sign."""
    return [
        msgspec.structs.replace(
            o,
            op="decrement" if o.op == "increment" else o.op,
            result=None if o.result is None else -o.result,
        )
        for o in operations
    ]


def both_ways(rng: random.Random, most: int = 7, *, crowded: bool = False, amounts: tuple[int, ...] = ()) -> Operations:
    """A real counter's history with up to three answers changed; the result may still be valid. `crowded`: far more of
    it overlaps, twice as many operations got no answer, and half are reads. `amounts`: what is added is one of them."""
    operations: Operations = []
    value = time = 0
    pauses, early, late = ((0, 1, 1, 2), WIDE, WIDE) if crowded else ((0, 1, 2, 4), (0, 0, 1, 2, 3), (0, 0, 1, 2, 4))
    ops = ("increment", "decrement", "read", "read") if crowded else ("increment", "decrement") * 2 + ("read",)
    for _ in range(rng.randint(most - 2 if crowded else 2, most)):
        time += rng.choice(pauses)
        start, end = time - rng.choice(early), time + rng.choice(late)
        op, kind = rng.choice(ops), rng.random()
        by = rng.choice(amounts) if amounts and op != "read" and rng.random() < 0.8 else None
        moved = STEP[op] * (1 if by is None else by)
        if kind < (0.6 if crowded else 0.78) or op == "read":
            value += moved
            operations.append(msgspec.structs.replace(inc(start, end, value), op=op, value=by))
        elif kind < 0.95:
            value += moved * (rng.random() < 0.6)
            operations.append(msgspec.structs.replace(unknown(start), op=op, value=by))
        else:
            operations.append(msgspec.structs.replace(refused(start, end), op=op, value=by))
    for row in rng.choices(
        [i for i, o in enumerate(operations) if o.status == "ok"] or [0], k=rng.choice((0, 0, 1, 2))
    ):
        if operations[row].status == "ok":
            moved = operations[row].result + rng.choice((-2, -1, 1, 2))
            operations[row] = msgspec.structs.replace(operations[row], result=moved)
    rng.shuffle(operations)
    return operations


def large(n: int, rng: random.Random) -> Operations:
    return valid_history(n - 3, seed=rng.randrange(2**32)).operations()


def _increments(operations: Operations) -> list[int]:
    return [i for i, o in enumerate(operations) if o.op == "increment" and o.status == "ok"]


def lost(operations: Operations, rng: random.Random) -> Operations:
    """One increment is told the number of the one before it, and all later ones a number less."""
    row = rng.choice(_increments(operations)[1:])
    number = operations[row].result
    return [
        msgspec.structs.replace(o, result=o.result - 1) if o.status == "ok" and o.result >= number else o
        for o in operations
    ]


def from_the_past(operations: Operations, rng: random.Random) -> Operations:
    """A read late in the history shows an early value."""
    row = rng.choice([i for i, o in enumerate(operations) if o.op == "read" and i > len(operations) // 2])
    early = msgspec.structs.replace(operations[row], result=operations[row].result // 3)
    return [*operations[:row], early, *operations[row + 1 :]]


KNOWN = Known(
    model=MODEL,
    clocks=("gap", "inversion", "no-order"),
    referee=referee,
    small=small,
    accepted={
        "one after the other": [inc(0, 1, 1), inc(2, 3, 2), read(4, 5, 2)],
        "overlapping, in either order": [inc(0, 9, 2), inc(1, 8, 1)],
        "an unknown increment that took effect": [unknown(0), inc(5, 6, 2)],
        "an unknown increment that did not": [unknown(0), inc(5, 6, 1), read(7, 8, 1)],
        "a refused increment": [refused(0, 1), inc(2, 3, 1)],
        "down, one after the other": [dec(0, 1, -1), dec(2, 3, -2), read(4, 5, -2)],
        "up and down again": [inc(0, 1, 1), dec(2, 3, 0), inc(4, 5, 1)],
        "by its amount": [added(0, 1, 5, 5), added(2, 3, -2, 3), dec(4, 5, 2), read(6, 7, 2)],
        "one unknown amount of two": [added(0, None, 5), added(0, None, 3), inc(2, 3, 4), read(4, 5, 9)],
        "an unknown decrement that took effect in between": [inc(0, 1, 1), unknown_dec(0), inc(2, 3, 1)],
    },
    rejected={
        "two told the same number": ([inc(0, 1, 1), inc(2, 3, 1)], "duplicate", [0, 1]),
        "a read that misses an increment": ([inc(0, 1, 1), read(2, 3, 0)], "inversion", [1, 0]),
        "a number too high": ([inc(0, 1, 1), inc(2, 3, 3)], "gap", [1]),
        "two decrements told the same number": ([dec(0, 1, -1), dec(2, 3, -1)], "duplicate", [0, 1]),
        "a decrement that went up": ([dec(0, 1, 1)], "too-high", [0]),
        "a decrement that found what nobody had made": ([dec(0, 1, 0), inc(2, 3, 1)], "gap", [0]),
        "a read that ended before what it takes to come so late had started": (
            [read(1, 3, -1), dec(1, 5, 0), dec(2, 4, -1), unknown(4)],
            "no-order",
            [0, 1],
        ),
        "told less than it added": ([added(0, 1, 5, 4), read(2, 3, 5)], "no-order", [0]),
        "two amounts, told as if each were alone": ([added(0, 9, 5, 5), added(0, 9, 3, 3)], "no-order", [0, 1]),
        "no sum of the amounts": ([added(0, None, 5), added(0, None, 3), inc(2, 3, 8), inc(4, 5, 9)], "no-order", [2]),
        "told the same, and nothing in between": ([inc(0, 1, 1), inc(2, 3, 1), dec(4, 5, 0)], "no-order", [0, 1]),
    },
    large=large,
    defects={"an increment lost": lost, "a read from the past": from_the_past},
    initial=0,
)
