"""Ids that no two requests may share."""

import random

import msgspec

from models.known import Known, Operations
from statelab.check.models.unique_ids import MODEL
from statelab.core.operation import Operation, ServedBy, Value


def new(start: int, end: int, told: Value, key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(process=0, op="new-id", start=start, end=end, status="ok", result=told, key=key, served_by=by)


def unknown(start: int) -> Operation:
    return Operation(process=0, op="new-id", start=start, end=None, status="info")


def refused(start: int, end: int) -> Operation:
    return Operation(process=0, op="new-id", start=start, end=end, status="fail")


def all_different(operations: Operations, initial: Value | None) -> bool:
    """The promise, pair by pair."""
    given = [o.result for o in operations if o.status == "ok"]
    return not any(given[i] == given[j] for j in range(len(given)) for i in range(j))


def small(rng: random.Random) -> Operations:
    """Ids from a few numbers and texts, so that about half of the histories give one twice."""
    ids: list[Value] = [-1, 3, 4, 5, "a", "3"]
    operations = []
    for _ in range(rng.randint(1, 7)):
        start = rng.randrange(20)
        end, kind = start + rng.randrange(6), rng.random()
        if kind < 0.7:
            operations.append(new(start, end, rng.choice(ids)))
        else:
            operations.append(unknown(start) if kind < 0.85 else refused(start, end))
    return operations


def large(n: int, rng: random.Random) -> Operations:
    """One request after the other from each of ten clients; ids are numbers in no order; one in a hundred is lost."""
    ids = [new_id - 2**61 for new_id in rng.sample(range(2**62), n)]
    operations = []
    for i, new_id in enumerate(ids):
        start = i // 10 * 1000 + rng.randrange(400)
        lost = rng.random() < 0.01
        operations.append(
            Operation(
                process=i % 10,
                op="new-id",
                start=start,
                end=None if lost else start + rng.randrange(500),
                status="info" if lost else "ok",
                result=None if lost else new_id,
            )
        )
    return operations


def given_again(operations: Operations, rng: random.Random) -> Operations:
    """One request is told the id of another."""
    one, other = rng.sample([i for i, o in enumerate(operations) if o.status == "ok"], 2)
    operations[one] = msgspec.structs.replace(operations[one], result=operations[other].result)
    return operations


def stuck(operations: Operations, rng: random.Random) -> Operations:
    """All requests of a while are told the same id."""
    first = rng.randrange(len(operations) - 100)
    return [
        msgspec.structs.replace(o, result=7) if first <= i < first + 100 and o.status == "ok" else o
        for i, o in enumerate(operations)
    ]


KNOWN = Known(
    model=MODEL,
    referee=all_different,
    small=small,
    accepted={
        "different numbers, in any order": [new(0, 1, 9), new(2, 3, 4)],
        "a number and the text that looks like it": [new(0, 1, 4), new(0, 1, "4")],
        "a lost answer says nothing": [new(0, 1, 1), unknown(0), unknown(5), refused(2, 3)],
        "keys have ids of their own": [new(0, 1, 1, "orders"), new(0, 1, 1, "users")],
    },
    rejected={
        "overlapping": ([new(0, 9, 1), new(1, 8, 1)], "duplicate", [0, 1]),
        "one after the other": ([new(5, 6, "a"), new(0, 1, "b"), new(2, 3, "a")], "duplicate", [2, 0]),
        "three times: the closest two": ([new(0, 1, 1), new(9, 10, 1), new(11, 12, 1)], "duplicate", [1, 2]),
        "one of two keys": (
            [new(0, 1, 1, "orders"), new(2, 3, 1, "users"), new(8, 9, 1, "users")],
            "duplicate",
            [1, 2],
        ),
    },
    large=large,
    defects={"an id given again": given_again, "a generator that is stuck": stuck},
)
