"""The counter: increments that return the new value."""

import random

import msgspec

from counter_histories import inc
from counter_histories import random_operations
from counter_histories import read
from counter_histories import refused
from counter_histories import unknown
from counter_histories import valid_history
from models.known import Known
from models.known import Operations
from oracle import linearizable
from statelab.checkers.counter_model import MODEL


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
    referee=linearizable,
    small=random_operations,
    accepted={
        "one after the other": [inc(0, 1, 1), inc(2, 3, 2), read(4, 5, 2)],
        "overlapping, in either order": [inc(0, 9, 2), inc(1, 8, 1)],
        "an unknown increment that took effect": [unknown(0), inc(5, 6, 2)],
        "an unknown increment that did not": [unknown(0), inc(5, 6, 1), read(7, 8, 1)],
        "a refused increment": [refused(0, 1), inc(2, 3, 1)],
    },
    rejected={
        "two told the same number": ([inc(0, 1, 1), inc(2, 3, 1)], "duplicate", [0, 1]),
        "a read that misses an increment": ([inc(0, 1, 1), read(2, 3, 0)], "inversion", [1, 0]),
        "a number too high": ([inc(0, 1, 1), inc(2, 3, 3)], "gap", [1]),
    },
    large=large,
    defects={"an increment lost": lost, "a read from the past": from_the_past},
    initial=0,
)
