"""The bounded search against plain exhaustive search, on objects that no fast rule decides."""

import random
from collections.abc import Hashable
from typing import Any

import numpy as np
import pytest

from agreement import HISTORIES
from oracle import REFUSED as WRONG
from oracle import explained
from statelab.check.kernels.forgetting import refutes
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import REFUSED, Outcome, Specification, search, witness
from statelab.core.operation import Operation, Status
from statelab.record.columns import History

SEED = 20_261_123
CHANGES = {"write", "add"}


def step(state: int, operation: Operation) -> Any:
    """A register of integers that can also be added to, which tells what it then holds: `write`, `add`, `read`."""
    if operation.op == "read":
        return state if operation.result == state else WRONG
    new = operation.value if operation.op == "write" else state + operation.value
    told = operation.status == "ok" and operation.op == "add" and operation.result is not None
    return WRONG if told and operation.result != new else new


def specification(history: History) -> Specification:
    operations = history.operations()

    def of_row(state: Any, cost: int, row: int) -> Any:
        new = step(state, operations[row])
        return REFUSED if new is WRONG else (new, cost)

    def request(row: int) -> Hashable:
        return operations[row].op, operations[row].value, operations[row].result

    return Specification(initial=0, step=of_row, reads=history.is_op("read"), request=request)


def searched(history: History, deadline: Deadline | None = None, most: int = 10_000) -> Outcome:
    rows = np.arange(len(history))
    return search(history, rows, specification(history), deadline=deadline or Deadline(), most=most)


def random_operation(process: int, rng: random.Random) -> Operation:
    op, start = rng.choice(["read", "write", "add", "add"]), rng.randrange(12)
    status: Status = rng.choices(["ok", "info", "fail"], [8, 3, 1])[0]
    value = None if op == "read" else rng.choice([-1, 1, 2])
    answered = status == "ok" and op != "write" and (op == "read" or rng.random() < 0.6)
    return Operation(
        process=process,
        op=op,
        start=start,
        end=None if status == "info" else start + rng.randrange(7),
        status=status,
        value=value,
        result=rng.randrange(-1, 4) if answered else None,
    )


def random_operations(rng: random.Random, most: int = 7) -> list[Operation]:
    return [random_operation(process, rng) for process in range(rng.randint(1, most))]


def test_agrees_with_exhaustive_search() -> None:
    """The verdict is that of plain exhaustive search on random histories with unknown outcomes."""
    rng, valid = random.Random(SEED), 0
    for _ in range(HISTORIES):
        operations = random_operations(rng)
        expected = explained(operations, 0, step, CHANGES)
        valid += expected
        assert searched(History.from_operations(operations)).verdict == ("held" if expected else "violated"), operations
    assert 0.3 < valid / HISTORIES < 0.7


def test_a_witness_is_minimal() -> None:
    """The witness found from where the search was stuck is a violation, and none without any one of it."""
    rng, seen = random.Random(SEED + 1), 0

    def violated(history: History) -> bool:
        return searched(history).verdict == "violated"

    while seen < HISTORIES // 60:
        history = History.from_operations(random_operations(rng))
        outcome = searched(history)
        if outcome.stuck is None:
            continue
        seen += 1
        rows = witness(history, outcome.stuck, CHANGES, violated)
        assert refutes(history, rows, CHANGES, violated)
        for row in rows:
            assert not refutes(history, [r for r in rows if r != row], CHANGES, violated)


def overlapping(n: int) -> History:
    """Adds of different sizes by n clients at once: the sums that are possible double with each."""
    adds = [Operation(process=i, op="add", start=0, end=100, status="ok", value=2**i) for i in range(n)]
    return History.from_operations([*adds, Operation(process=n, op="read", start=0, end=99, status="ok", result=-1)])


def test_too_many_configurations_are_unknown() -> None:
    """A search that would outgrow its memory ends as unknown and says how far it came."""
    outcome = searched(overlapping(20), most=1000)
    assert (outcome.verdict, outcome.placed, outcome.of) == ("unknown", 0, 21)
    assert "1,000 configurations" in outcome.why


def test_time_that_is_over_is_unknown() -> None:
    """A search whose time has run out ends as unknown."""
    outcome = searched(overlapping(20), deadline=Deadline(at=0.0), most=10**9)
    assert (outcome.verdict, outcome.why) == ("unknown", "time ran out")


def test_enough_room_decides() -> None:
    """The same history with room enough is violated: no sum is negative."""
    outcome = searched(overlapping(9))
    assert (outcome.verdict, outcome.placed, outcome.stuck) == ("violated", 0, 9)


@pytest.mark.parametrize("unknown", [400, 800])
def test_many_unknown_operations_stay_bounded(unknown: int) -> None:
    """Unknown outcomes never end, yet of those with equal requests only the number used is remembered."""
    lost = [Operation(process=i, op="add", start=i, end=None, status="info", value=1) for i in range(unknown)]
    reads = [
        Operation(process=-1, op="read", start=1000 + 2 * i, end=1001 + 2 * i, status="ok", result=i)
        for i in range(unknown)
    ]
    assert searched(History.from_operations([*lost, *reads]), most=2 * unknown).verdict == "held"
    one_more = Operation(process=-1, op="read", start=9000, end=9001, status="ok", result=unknown + 1)
    assert searched(History.from_operations([*lost, *reads, one_more]), most=2 * unknown).verdict == "violated"


def test_a_long_history_of_ten_clients_is_decided() -> None:
    """3,000 operations, ten at a time, with answers that fit: held, and violated after one that does not."""
    rng, total, operations = random.Random(SEED + 2), 0, []
    for i in range(3000):
        total += (value := rng.choice([-1, 1]))
        operations.append(
            Operation(process=i % 10, op="add", start=10 * i, end=10 * i + 95, status="ok", value=value, result=total)
        )
    assert searched(History.from_operations(operations)).verdict == "held"
    late = Operation(process=0, op="read", start=90_000, end=90_001, status="ok", result=total + 1)
    history = History.from_operations([*operations, late])
    assert searched(history).stuck == 3000
