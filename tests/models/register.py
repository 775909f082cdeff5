"""The register: write, read, and compare and set."""

import random
from dataclasses import dataclass
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.register.model import MODEL
from statelab.core.operation import Operation, Status, Value


def write(start: int, end: int | None, value: Value, *, process: int = 0, status: Status = "ok") -> Operation:
    status = "info" if end is None else status
    return Operation(process=process, op="write", start=start, end=end, status=status, value=value)


def read(start: int, end: int, result: Value | None, *, process: int = 1) -> Operation:
    return Operation(process=process, op="read", start=start, end=end, status="ok", result=result)


def cas(
    start: int,
    end: int | None,
    expected: Value | None,
    value: Value,
    answer: bool | None = True,
    *,
    seen: Value | None = None,
    process: int = 2,
) -> Operation:
    return Operation(
        process=process,
        op="cas",
        start=start,
        end=end,
        status="info" if end is None else "ok",
        expected=expected,
        value=value,
        result=None if end is None else answer,
        seen=seen,
    )


def referee(operations: Operations, initial: Value | None) -> bool:
    """Whether one register can have given all these answers, by exhaustive search."""

    def step(state: Value | None, operation: Operation) -> Any:
        if operation.op == "write":
            return operation.value
        if operation.op == "read":
            return state if state == _or(operation.result, initial) else REFUSED
        swaps = state == _or(operation.expected, initial)
        if operation.status == "info":
            return operation.value if swaps else state
        if swaps != operation.result or operation.seen not in (None, state):
            return REFUSED
        return operation.value if swaps else state

    return explained(operations, initial, step, {"write", "cas"})


def _or(value: Any, initial: Value | None) -> Any:
    return initial if value is None else value


@dataclass(frozen=True)
class Plan:
    """What a random history is made of: how many operations and values, and whether each value is written once."""

    most: int
    values: int
    unique: bool


def small(rng: random.Random) -> Operations:
    """Random requests over few stamps; in four histories of five some answers are not those that one order gives."""
    plan = Plan(rng.choice([4, 6, 7, 7]), rng.randint(2, 4), rng.random() < 0.6)
    requests = [_request(process, plan, rng) for process in range(plan.most)]
    return _answered(requests, rng, rng.choice([0.0, 0.6, 0.8, 1.0]))


def _request(process: int, plan: Plan, rng: random.Random) -> Operation:
    op, start = rng.choice(["write", "write", "read", "read", "cas", "cas"]), rng.randrange(10)
    status: Status = rng.choices(["ok", "info", "fail"], [8, 2, 1])[0]
    value = process + 1 if plan.unique else rng.randint(1, plan.values)
    expected = rng.choice([None, *range(1, (plan.most if plan.unique else plan.values) + 1)])
    return Operation(
        process=process,
        op=op,
        start=start,
        end=None if status == "info" else start + rng.randrange(6),
        status=status,
        value=None if op == "read" else value,
        expected=expected if op == "cas" else None,
    )


def _answered(requests: Operations, rng: random.Random, wrong: float) -> Operations:
    """Runs the requests one by one and gives their answers; each request is treated wrongly with some probability.

    That is: it runs before its start or after its end, a `cas` replaces what it should not or does not replace what it
    should, or the answer shows another of the requested values, or one that was never requested.
    """
    moments = {o.process: _moment(o, rng, wrong) for o in requests}
    state: Value | None = None
    states = [state]
    answers: dict[Any, dict[str, Any]] = {}
    for o in sorted(requests, key=lambda o: moments[o.process]):
        lost = o.status == "fail" or (o.status == "info" and rng.random() < 0.5)
        found = rng.choice([None, 9, *(r.value for r in requests)]) if rng.random() < wrong / 4 else state
        if o.op == "read":
            answers[o.process] = {"result": found}
            continue
        if o.op == "write":
            answers[o.process], swaps = {}, True
        else:
            expected = rng.choice([o.expected, found, rng.choice(states)])
            swaps = (found == expected) != (rng.random() < wrong / 3)
            seen = None if swaps or rng.random() < 0.5 else found
            answers[o.process] = {"expected": expected, "result": swaps, "seen": seen}
        state = o.value if swaps and not lost else state
        states.append(state)
    return [_with(o, answers[o.process]) for o in requests]


def _with(o: Operation, answer: dict[str, Any]) -> Operation:
    kept = answer if o.status == "ok" else {k: v for k, v in answer.items() if k == "expected"}
    return msgspec.structs.replace(o, **kept)


def _moment(o: Operation, rng: random.Random, wrong: float) -> float:
    outside = 7 if rng.random() < wrong else 0
    end = 12 if o.end is None else o.end
    return o.start - outside + rng.random() * (end - o.start + 2 * outside)


def large(n: int, rng: random.Random) -> Operations:
    """Ten clients, each of which writes, reads, or replaces what it saw last; 1 % of the outcomes are unknown."""
    state: int | None = None
    last: dict[int, int | None] = {}
    operations = []
    for i in range(n):
        client, start = i % 10, 10 * i + rng.randrange(5)
        op = rng.choice(["write", "read", "read", "cas"])
        lost = rng.random() < 0.02
        end = None if op != "read" and rng.random() < 0.01 else start + 60 + rng.randrange(30)
        if op == "read":
            operations.append(read(start, end or start, state, process=client))
            last[client] = state
        elif op == "write":
            operations.append(write(start, end, i + 1, process=client))
            state = state if end is None and lost else i + 1
        else:
            expected, found = last.get(client), state
            seen = None if found == expected or rng.random() < 0.3 else found
            operations.append(cas(start, end, expected, i + 1, found == expected, seen=seen, process=client))
            state = i + 1 if found == expected and not (end is None and lost) else state
    return [msgspec.structs.replace(o, seen=None) if o.status == "info" else o for o in operations]


def _rows(operations: Operations, op: str) -> list[int]:
    half = range(len(operations) // 2, len(operations))
    return [i for i in half if operations[i].op == op and operations[i].status == "ok"]


def stale(operations: Operations, rng: random.Random) -> Operations:
    """A read late in the history shows what was read long before."""
    row = rng.choice(_rows(operations, "read"))
    early = next(o.result for o in operations[row // 2 :] if o.op == "read" and o.status == "ok")
    return [*operations[:row], msgspec.structs.replace(operations[row], result=early), *operations[row + 1 :]]


def phantom(operations: Operations, rng: random.Random) -> Operations:
    """A read shows what nobody wrote."""
    row = rng.choice(_rows(operations, "read"))
    return [*operations[:row], msgspec.structs.replace(operations[row], result=-7), *operations[row + 1 :]]


def lost_update(operations: Operations, rng: random.Random) -> Operations:
    """A `cas` that answered false answered true, although what it expected had been replaced or overwritten."""
    rows = [i for i in _rows(operations, "cas") if operations[i].result is False and _gone(operations, i)]
    row = rng.choice(rows)
    won = msgspec.structs.replace(operations[row], result=True, seen=None)
    return [*operations[:row], won, *operations[row + 1 :]]


def _gone(operations: Operations, row: int) -> bool:
    """Whether another value was seen before the operation started, and after that which it expected."""
    start, expected = operations[row].start, operations[row].expected
    reads = [o for o in operations[max(0, row - 60) : row] if o.op == "read" and o.end is not None and o.end < start]
    seen = [i for i, o in enumerate(reads) if o.result == expected]
    return bool(seen) and any(o.result != expected and o.start > reads[seen[0]].end for o in reads[seen[0] :])


KNOWN = Known(
    model=MODEL,
    clocks=("future-read", "stale-read", "false-failure", "no-order"),
    referee=referee,
    small=small,
    accepted={
        "a write and a read": [write(0, 1, 4), read(2, 3, 4)],
        "nothing yet": [read(0, 1, None), write(2, 3, 4)],
        "overlapping, in either order": [write(0, 9, 1), write(1, 8, 2), read(10, 11, 1)],
        "an unknown write that took effect late": [write(0, None, 1), read(2, 3, None), read(4, 5, 1)],
        "an unknown write that did not": [write(0, None, 1), read(2, 3, None)],
        "a refused write": [write(0, 1, 1, status="fail"), read(2, 3, None)],
        "replaced": [write(0, 1, 1), cas(2, 3, 1, 2), read(4, 5, 2)],
        "not replaced": [write(0, 1, 1), cas(2, 3, 7, 2, False), read(4, 5, 1)],
        "not replaced, and what was there": [write(0, 1, 1), cas(2, 3, 7, 2, False, seen=1)],
        "another value in between": [write(0, 1, 1), cas(2, 6, 1, 2, False), write(3, 4, 3)],
        "the same value twice": [write(0, 1, 1), write(2, 3, 2), write(4, 5, 1), read(6, 7, 1)],
        "texts": [write(0, 1, "a"), cas(2, 3, "a", "b"), read(4, 5, "b")],
    },
    rejected={
        "nobody wrote it": ([write(0, 1, 1), read(2, 3, 5)], "phantom", [1]),
        "only a refused write wrote it": ([write(0, 1, 5, status="fail"), read(2, 3, 5)], "aborted-read", [1]),
        "a failed cas that took effect": (
            [write(0, 1, 1), cas(2, 9, 1, 5, False), write(3, 4, 2), read(10, 11, 5)],
            "aborted-read",
            [1, 3],
        ),
        "read before it was written": ([read(0, 1, 5), write(2, 3, 5)], "future-read", [0]),
        "a value that comes back": ([write(0, 1, 1), write(2, 3, 2), read(4, 5, 1)], "stale-read", [0, 1, 2]),
        "nothing, after a write": ([write(0, 1, 1), read(2, 3, None)], "stale-read", [0, 1]),
        "an older value in the chain": ([write(0, 1, 1), cas(2, 3, 1, 2), read(4, 5, 1)], "stale-read", [1, 2]),
        "two replaced the same": ([write(0, 1, 1), cas(2, 9, 1, 2), cas(3, 8, 1, 3)], "lost-update", [1, 2]),
        "each before the other": (
            [write(0, 9, 1), write(0, 9, 2), read(10, 11, 1), read(12, 13, 2), read(14, 15, 1)],
            "stale-read",
            [2, 3, 4],
        ),
        "found and not replaced": ([write(0, 1, 1), cas(2, 3, 1, 2, False, seen=1)], "false-failure", [1]),
        "there, and not found": ([write(0, 1, 1), cas(2, 3, 1, 2, False), read(4, 5, 1)], "false-failure", [0, 1]),
        "out of itself": ([cas(0, 5, 1, 2), cas(0, 5, 2, 1)], "circular", [0]),
    },
    large=large,
    defects={"a stale read": stale, "a phantom": phantom, "a lost update": lost_update},
)
