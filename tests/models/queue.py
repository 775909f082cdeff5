"""The queue: first in, first out."""

import random
from itertools import product
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.queue.model import MODEL
from statelab.core.operation import Operation, Status, Value


def enqueued(start: int, end: int | None, value: Value, *, process: int = 0, status: Status = "ok") -> Operation:
    status = "info" if end is None else status
    return Operation(process=process, op="enqueue", start=start, end=end, status=status, value=value)


def dequeued(start: int, end: int | None, result: Value | None = None, *, process: int = 1) -> Operation:
    status: Status = "info" if end is None else "ok"
    return Operation(process=process, op="dequeue", start=start, end=end, status=status, result=result)


def referee(operations: Operations, initial: Value | None) -> bool:
    """Whether one queue can have given all these answers; an unknown dequeue takes the oldest element."""

    def step(state: tuple[Value, ...], operation: Operation) -> Any:
        if operation.op == "enqueue":
            return (*state, operation.value)
        if operation.status == "info":
            return state[1:]
        if operation.result is None:
            return REFUSED if state else state
        return state[1:] if state and state[0] == operation.result else REFUSED

    return explained(operations, (), step, {"enqueue", "dequeue"})


def unordered_referee(operations: Operations, initial: Value | None) -> bool:
    """The same where any element may come next: whatever value each unknown dequeue takes is tried."""
    values = {None, *(o.value for o in operations if o.op == "enqueue")}  # None: left out
    unknown = [i for i, o in enumerate(operations) if o.op == "dequeue" and o.status == "info"]

    def step(state: tuple[Value, ...], operation: Operation) -> Any:
        if operation.op == "enqueue":
            return tuple(sorted((*state, operation.value)))
        if operation.result is None:
            return REFUSED if state or operation.status == "info" else state
        if operation.result not in state:
            return REFUSED
        place = state.index(operation.result)
        return state[:place] + state[place + 1 :]

    for taken in product(values, repeat=len(unknown)):
        chosen = dict(zip(unknown, taken, strict=True))
        given = [msgspec.structs.replace(o, result=chosen.get(i, o.result)) for i, o in enumerate(operations)]
        if explained(given, (), step, {"enqueue", "dequeue"}):
            return True
    return False


def small(rng: random.Random, *, ordered: bool = True) -> Operations:
    """A queue's history by few clients, often with one or two answers that are wrong."""
    n, unique = rng.choice((4, 5, 6, 7, 7)), rng.random() < 0.7
    wrong = rng.choice((0.0, 0.9, 1.0, 1.0, 1.0))
    requests, filled = [], rng.random() < 0.6
    for process in range(n):
        status: Status = rng.choices(["ok", "info", "fail"], [10, 2, 1])[0]
        op = rng.choice(("enqueue", "dequeue", "dequeue"))
        start = (rng.randrange(4) if op == "enqueue" else rng.randrange(4, 12)) if filled else rng.randrange(10)
        value = (process + 1 if unique else rng.randint(1, 2)) if op == "enqueue" else None
        end = None if status == "info" else start + rng.randrange(3 if filled else 6)
        requests.append(Operation(process=process, op=op, start=start, end=end, status=status, value=value))

    def moment(o: Operation) -> float:
        outside = 5 if rng.random() < wrong else 0
        end = 12 if o.end is None else o.end
        return o.start - outside + rng.random() * (end - o.start + 2 * outside)

    state: list[Value] = []
    made: dict[Any, Operation] = {}
    for _, o in sorted(((moment(o), o) for o in requests), key=lambda pair: pair[0]):
        lost = o.status == "fail" or (o.status == "info" and rng.random() < 0.5)
        made[o.process] = o
        if o.op == "enqueue":
            if not lost and rng.random() >= wrong / 2 and o.value is not None:
                state.append(o.value)
            continue
        place = 0 if ordered and rng.random() >= wrong else rng.randrange(max(1, len(state)))
        found = state[place] if state else None
        if state and not lost and rng.random() >= wrong / 2:
            state.pop(place)
        if o.status == "ok":
            told = rng.choice([None, 9, *(r.value for r in requests)]) if rng.random() < wrong / 2 else found
            made[o.process] = msgspec.structs.replace(o, result=told)
    operations = [made[o.process] for o in requests]
    answered = [i for i, o in enumerate(operations) if o.op == "dequeue" and o.status == "ok"]
    if len(answered) > 1 and wrong and rng.random() < 0.9:
        one, other = rng.sample(answered, 2)
        results = operations[one].result, operations[other].result
        operations[one] = msgspec.structs.replace(operations[one], result=results[1])
        operations[other] = msgspec.structs.replace(operations[other], result=rng.choice(results))
    return operations


def large(n: int, rng: random.Random, *, ordered: bool = True) -> Operations:
    """Ten clients put in and take out, in turns more of one and of the other; 1 % of the outcomes are unknown."""
    state: list[int] = []
    operations = []
    for i in range(n):
        client, start = i % 10, 10 * i + rng.randrange(5)
        silent, lost = rng.random() < 0.01, rng.random() < 0.5
        end = None if silent else start + 60 + rng.randrange(30)
        if rng.random() < (0.6 if i % 600 < 300 else 0.35):
            operations.append(enqueued(start, end, i + 1, process=client))
            if not (silent and lost):
                state.append(i + 1)
        elif silent and lost:
            operations.append(dequeued(start, None, process=client))
        else:
            place = 0 if ordered else rng.randrange(max(1, len(state)))
            found = state.pop(place) if state else None
            operations.append(dequeued(start, end, None if silent else found, process=client))
    return operations


def _rows(operations: Operations) -> list[int]:
    """The dequeues in the second half that got something."""
    half = range(len(operations) // 2, len(operations))
    return [i for i in half if operations[i].op == "dequeue" and operations[i].result is not None]


def _told(operations: Operations, row: int, result: Value | None) -> Operations:
    return [*operations[:row], msgspec.structs.replace(operations[row], result=result), *operations[row + 1 :]]


def duplicated(operations: Operations, rng: random.Random) -> Operations:
    """A dequeue gets what another one had got."""
    row, other = rng.sample(_rows(operations), 2)
    return _told(operations, row, operations[other].result)


def never_enqueued(operations: Operations, rng: random.Random) -> Operations:
    """A dequeue gets what nobody put in."""
    return _told(operations, rng.choice(_rows(operations)), -7)


def swapped(operations: Operations, rng: random.Random) -> Operations:
    """Two dequeues have each other's elements, of which one had been put in before the other was asked for."""
    put = {o.value: o for o in operations if o.op == "enqueue" and o.status == "ok"}
    rows = [row for row in _rows(operations) if operations[row].result in put]
    pairs = [(rows[i], rows[i + 15]) for i in range(len(rows) - 15)]

    def before(one: Operation, other: Operation) -> bool:
        return one.end is not None and one.end < other.start

    def apart(one: Operation, other: Operation) -> bool:
        first, second = put[one.result], put[other.result]
        return before(first, second) and before(second, one) and before(one, other)

    one, other = rng.choice([pair for pair in pairs if apart(operations[pair[0]], operations[pair[1]])])
    first, second = operations[one].result, operations[other].result
    return _told(_told(operations, one, second), other, first)


ACCEPTED = {
    "put in and taken out": [enqueued(0, 1, 4), dequeued(2, 3, 4)],
    "nothing yet": [dequeued(0, 1), enqueued(2, 3, 4)],
    "left in the queue": [enqueued(0, 1, 4), enqueued(2, 3, 5), dequeued(4, 5, 4)],
    "overlapping, in either order": [enqueued(0, 9, 1), enqueued(1, 8, 2), dequeued(10, 11, 2), dequeued(12, 13, 1)],
    "an unknown enqueue that took effect late": [enqueued(0, None, 1), dequeued(2, 3), dequeued(4, 5, 1)],
    "an unknown dequeue that took one": [enqueued(0, 1, 1), dequeued(0, None), dequeued(2, 3)],
    "an unknown dequeue that took none": [enqueued(0, 1, 1), dequeued(0, None), dequeued(2, 3, 1)],
    "a refused enqueue": [enqueued(0, 1, 1, status="fail"), dequeued(2, 3)],
    "the same value twice": [enqueued(0, 1, 1), enqueued(2, 3, 1), dequeued(4, 5, 1), dequeued(6, 7, 1)],
    "nothing between one and the next": [
        enqueued(0, 1, 1),
        dequeued(2, 9),
        dequeued(3, 4, 1),
        enqueued(5, 6, 2),
        dequeued(10, 11, 2),
    ],
    "texts": [enqueued(0, 1, "a"), dequeued(2, 3, "a")],
}

REJECTED: dict[str, tuple[Operations, str, list[int]]] = {
    "nobody put it in": ([enqueued(0, 1, 1), dequeued(2, 3, 5)], "never-enqueued", [1]),
    "only a refused enqueue": ([enqueued(0, 1, 5, status="fail"), dequeued(2, 3, 5)], "never-enqueued", [1]),
    "taken out before it was put in": ([dequeued(0, 1, 5), enqueued(2, 3, 5)], "never-enqueued", [0]),
    "taken out twice": ([enqueued(0, 1, 7), dequeued(2, 3, 7), dequeued(2, 4, 7)], "duplicated", [1, 2]),
    "three times, and put in twice": (
        [enqueued(0, 1, 7), enqueued(0, 1, 7), dequeued(2, 3, 7), dequeued(3, 4, 7), dequeued(4, 5, 7)],
        "duplicated",
        [2, 3, 4],
    ),
    "nothing, and it was there": ([enqueued(0, 1, 1), dequeued(2, 3), dequeued(4, 5, 1)], "false-empty", [0, 1]),
    "gone, and nobody took it": ([enqueued(0, 1, 1), dequeued(2, 3)], "lost", [0, 1]),
    "one unknown dequeue for two": (
        [enqueued(0, 1, 1), enqueued(0, 1, 2), dequeued(2, None), dequeued(3, 4)],
        "lost",
        [0, 1, 3],
    ),
    "nothing, and another had asked": (
        [enqueued(0, 1, 1), dequeued(2, 3), dequeued(2, None), dequeued(4, 5, 1)],
        "false-empty",
        [0, 1, 3],
    ),
    "always one of two was there": (
        [enqueued(0, 1, 1), enqueued(3, 4, 2), dequeued(2, 9), dequeued(5, 11, 1), dequeued(10, 12, 2)],
        "false-empty",
        [0, 2, 1],
    ),
    "with repeats": (
        [enqueued(0, 1, 1), enqueued(0, 1, 1), dequeued(2, 3, 1), dequeued(4, 5), dequeued(6, 7, 1)],
        "no-order",
        [0, 1, 3],
    ),
}

KNOWN = Known(
    model=MODEL,
    clocks=("never-enqueued", "false-empty", "lost", "no-order"),
    referee=referee,
    small=small,
    accepted=ACCEPTED,
    rejected=REJECTED
    | {
        "the later one first": (
            [enqueued(0, 1, 1), enqueued(2, 3, 2), dequeued(4, 5, 2), dequeued(6, 7, 1)],
            "out-of-order",
            [0, 2],
        ),
        "passed over": ([enqueued(0, 1, 1), enqueued(2, 3, 2), dequeued(4, 5, 2)], "lost", [0, 2]),
    },
    large=large,
    defects={"duplicated": duplicated, "never enqueued": never_enqueued, "out of order": swapped},
)
