"""A set that only grows: add, contains, and the whole set as a list."""

import random
from collections.abc import Sequence
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.set.model import MODEL
from statelab.core.operation import Operation, ServedBy, Value


def add(start: int, end: int, value: Value, key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(process=0, op="add", start=start, end=end, status="ok", value=value, key=key, served_by=by)


def unknown(start: int, value: Value, key: str = "") -> Operation:
    return Operation(process=0, op="add", start=start, end=None, status="info", value=value, key=key)


def refused(start: int, end: int, value: Value) -> Operation:
    return Operation(process=0, op="add", start=start, end=end, status="fail", value=value)


def contains(start: int, end: int, value: Value, answer: bool, key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(
        process=0, op="contains", start=start, end=end, status="ok", value=value, result=answer, key=key, served_by=by
    )


def elements(start: int, end: int, values: Sequence[Value], key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(
        process=0, op="elements", start=start, end=end, status="ok", result=list(values), key=key, served_by=by
    )


def grows(operations: Operations, initial: Value | None) -> bool:
    def step(state: frozenset[Value], operation: Operation) -> Any:
        if operation.op == "add":
            return state | {operation.value}
        if operation.op == "contains":
            return state if operation.result == (operation.value in state) else REFUSED
        result = operation.result
        assert isinstance(result, list)
        return state if len(result) == len(state) and set(result) == state else REFUSED

    return explained(operations, frozenset(), step, {"add"})


def small(rng: random.Random) -> Operations:
    """A real set's answers, elements added again among them, and often one or two of them changed."""
    values: list[Value] = rng.choice(([1, 2], [1, 2, 3], ["a", "b", -5]))
    state: list[Value] = []
    operations, time = [], 0
    for _ in range(rng.randint(1, 7)):
        time += rng.choice((0, 1, 2, 4))
        start, end = time - rng.choice((0, 0, 1, 2, 3)), time + rng.choice((0, 0, 1, 2, 4))
        value, kind = rng.choice(values), rng.random()
        if kind < 0.35:
            operations.append(add(start, end, value))
            state += [] if value in state else [value]
        elif kind < 0.45:
            operations.append(unknown(start, value))
            state += [] if value in state or rng.random() < 0.5 else [value]
        elif kind < 0.5:
            operations.append(refused(start, end, value))
        elif kind < 0.75:
            operations.append(contains(start, end, value, value in state))
        else:
            operations.append(elements(start, end, rng.sample(state, len(state))))
    for _ in range(rng.choice((0, 1, 2, 3, 4))):
        _change(operations, rng, values)
    return operations


def _change(operations: Operations, rng: random.Random, values: list[Value]) -> None:
    row = rng.randrange(len(operations))
    o = operations[row]
    if o.op == "contains":
        o = msgspec.structs.replace(o, result=not o.result)
    elif isinstance(o.result, list):
        dropped = o.result[1:] if rng.random() < 0.5 else [*o.result, rng.choice(values)]
        o = msgspec.structs.replace(o, result=dropped)
    elif o.op == "add":
        o = msgspec.structs.replace(o, value=rng.choice(values))
    operations[row] = o


def large(n: int, rng: random.Random) -> Operations:
    """Ten clients; most add, some ask, every 200th operation reads the whole set; 1 % of the adds got no answer."""
    state: list[Value] = []
    operations = []
    for i in range(n):
        start, end = i * 100 - rng.randrange(490), i * 100 + rng.randrange(490)
        kind = rng.random()
        if i % 200 == 150:
            o = elements(start, end, rng.sample(state, len(state)))
        elif kind < 0.5 or not state:
            value = rng.choice(state) if state and rng.random() < 0.02 else i
            state += [] if value in state[-500:] or value != i else [value]
            o = unknown(start, value) if rng.random() < 0.01 else add(start, end, value)
        elif kind < 0.8:
            o = contains(start, end, rng.choice(state), True)
        else:
            o = contains(start, end, n + rng.randrange(n), False)
        operations.append(msgspec.structs.replace(o, process=i % 10))
    return operations


def _known(operations: Operations, row: int) -> list[Value]:
    """The elements that were acknowledged before the operation of that row started."""
    return [
        o.value
        for o in operations
        if o.op == "add" and o.end is not None and o.end < operations[row].start and o.value is not None
    ]


def _some(operations: Operations, rng: random.Random, op: str) -> int:
    return rng.choice([i for i, o in enumerate(operations) if o.op == op and i > len(operations) // 3])


def _listing(operations: Operations, row: int, values: list[Value]) -> Operations:
    return [*operations[:row], msgspec.structs.replace(operations[row], result=values), *operations[row + 1 :]]


def stale_list(operations: Operations, rng: random.Random) -> Operations:
    """One list lacks an element that was acknowledged long before."""
    row = _some(operations, rng, "elements")
    gone = rng.choice(_known(operations, row))
    return _listing(operations, row, [value for value in operations[row].result if value != gone])


def lost(operations: Operations, rng: random.Random) -> Operations:
    """From some moment on, an acknowledged element is in no list."""
    row = _some(operations, rng, "elements")
    gone = rng.choice(_known(operations, row))
    later = [i for i, o in enumerate(operations) if i >= row and o.op == "elements"]
    for i in later:
        operations = _listing(operations, i, [value for value in operations[i].result if value != gone])
    return [o for o in operations if o.op != "contains" or o.value != gone]


def stale_answer(operations: Operations, rng: random.Random) -> Operations:
    """One contains does not find an element that was acknowledged long before."""
    row = _some(operations, rng, "contains")
    gone = rng.choice(_known(operations, row))
    operations[row] = msgspec.structs.replace(operations[row], value=gone, result=False)
    return operations


def from_nowhere(operations: Operations, rng: random.Random) -> Operations:
    """One list has an element that nobody added."""
    row = _some(operations, rng, "elements")
    return _listing(operations, row, [*operations[row].result, -1])


def twice(operations: Operations, rng: random.Random) -> Operations:
    """One list has an element twice."""
    row = _some(operations, rng, "elements")
    return _listing(operations, row, [*operations[row].result, operations[row].result[5]])


KNOWN = Known(
    model=MODEL,
    clocks=("unexpected", "lost", "stale"),
    referee=grows,
    small=small,
    accepted={
        "one after the other": [add(0, 1, 4), contains(2, 3, 4, True), elements(4, 5, [4])],
        "overlapping, found or not": [add(0, 9, 4), contains(1, 2, 4, False), contains(3, 4, 4, True)],
        "an unknown add that took effect": [unknown(0, 4), contains(5, 6, 4, True)],
        "an unknown add that did not": [unknown(0, 4), elements(5, 6, [])],
        "added again": [add(0, 1, 4), add(2, 3, 4), elements(4, 5, [4])],
        "numbers and the texts that look like them": [add(0, 1, 4), add(0, 1, "4"), elements(2, 3, ["4", 4])],
    },
    rejected={
        "an acknowledged element missed for good": ([add(0, 1, 4), contains(2, 3, 4, False)], "lost", [0, 1]),
        "an acknowledged element missed once": (
            [add(0, 1, 4), elements(2, 3, []), elements(4, 5, [4])],
            "stale",
            [0, 1],
        ),
        "nobody added it": ([elements(0, 1, [4])], "unexpected", [0]),
        "shown before it was added": ([contains(0, 1, 4, True), add(2, 3, 4)], "unexpected", [0]),
        "shown after the add had failed": ([refused(0, 1, 4), contains(2, 3, 4, True)], "unexpected", [1]),
        "twice in one list": ([add(0, 1, 4), elements(2, 3, [4, 4])], "duplicated", [1]),
        "two lists that cannot be ordered": (
            [add(0, 9, 3), add(0, 9, 5), elements(1, 8, [3]), elements(1, 8, [5])],
            "fork",
            [2, 3],
        ),
        "one before the other by the clock only": (
            [add(0, 1, 3), add(2, 9, 5), elements(0, 9, [5])],
            "order",
            [0, 2],
        ),
        "one before the other, as a contains shows": (
            [add(0, 1, 3), unknown(0, 5), contains(2, 3, 5, False), elements(0, 9, [5])],
            "order",
            [0, 2, 3],
        ),
    },
    large=large,
    defects={
        "a list that lacks an element": stale_list,
        "an element lost": lost,
        "a contains that misses an element": stale_answer,
        "an element from nowhere": from_nowhere,
        "an element twice": twice,
    },
)
