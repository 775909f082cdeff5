"""The judge of the workload `cache`: stale reads, stampedes, and what is neither."""

import random

import pytest

from statelab.check.judges import judge_of
from statelab.check.judges.each_read import EACH_READ
from statelab.check.judges.judgement import Expectation
from statelab.check.kernels.model import Deadline
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

JUDGE = judge_of("cache")
TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))


def server(number: int) -> ServedBy:
    return ServedBy(host="h", pid=number, thread=number, greenlet=0, boot=f"boot-{number}")


def write(value: int, start: int, end: int | None, status: str = "") -> Operation:
    return _operation("write", start, end, value=value, status=status)


def read(result: object, start: int, end: int) -> Operation:
    return _operation("read", start, end, result=result)


def _operation(op: str, start: int, end: int | None, status: str = "", **more: object) -> Operation:
    status = status or ("info" if end is None else "ok")
    by = server(1 + start % 2)
    return Operation(
        process=start, op=op, start=start, end=end, status=status, op_id=f"{op}-{start}", served_by=by, **more
    )  # type: ignore[arg-type]


FIRST = (write(1, 0, 9), read(1, 5, 10))
"""An update and a read beside it: without such a pair nothing is exercised."""


def judged(*operations: Operation) -> tuple[str, list[str]]:
    judgement = JUDGE(History.from_operations(operations), TWO)
    return judgement.verdict, judgement.anomalies


def test_a_read_after_the_update_that_misses_it_is_stale() -> None:
    """The witness is the update that the read missed, with the read; the older write is needed for nothing else."""
    history = [write(1, 0, 9), write(2, 20, 29), read(2, 31, 33), read(1, 40, 49)]
    judgement = JUDGE(History.from_operations(history), TWO)
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["stale"])
    assert judgement.witness is not None
    assert [operation.start for operation in judgement.witness.operations] == [0, 20, 40]


def test_while_the_update_is_under_way_both_values_may_be_read_in_any_order() -> None:
    """New, then old, then new again: nobody was told yet that the update is there."""
    both = [read(value, start, start + 3) for value, start in ((2, 21), (1, 26), (2, 31))]
    assert judged(write(1, 0, 9), write(2, 20, 40), *both) == ("held", [])
    assert judged(*FIRST, write(2, 20, None), *both, read(1, 90, 95)) == ("held", [])


def test_what_nobody_wrote_is_a_phantom() -> None:
    """A value of nobody's, one of a refused write, and one that is written only later."""
    assert judged(write(1, 0, 9), read(3, 11, 15))[1] == ["phantom"]
    assert judged(write(1, 0, 9), write(2, 10, 19, "fail"), read(2, 21, 25))[1] == ["phantom"]
    assert judged(write(1, 0, 9), read(2, 11, 15), write(2, 20, 29))[1] == ["phantom"]


def test_two_computations_of_one_value_at_once_are_a_stampede() -> None:
    """Their reads are the witness; one after the other, or of two values, they are none."""
    at_once = [read([1, 12, 20], 11, 25), read([1, 15, 24], 14, 27)]
    in_turn = [read([1, 12, 14], 11, 25), read([1, 15, 24], 14, 27)]
    of_two = [write(2, 10, 30), read([1, 12, 20], 11, 25), read([2, 15, 24], 14, 27)]
    judgement = JUDGE(History.from_operations([write(1, 0, 9), *at_once]), TWO)
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["stampede"])
    assert judgement.witness is not None
    assert [operation.op_id for operation in judgement.witness.operations] == ["read-11", "read-14"]
    assert judged(*FIRST, *in_turn) == ("held", [])
    assert judged(write(1, 0, 9), *of_two) == ("held", [])


def test_both_at_once() -> None:
    """Each anomaly has its own witness, in the order of the table."""
    late = [read([1, 22, 40], 21, 45), read([1, 23, 41], 22, 46), read(1, 50, 55)]
    assert judged(write(1, 0, 9), write(2, 24, 30), *late) == ("violated", ["stale", "stampede"])


def test_stamps_of_another_clock_decide_nothing() -> None:
    """A computation outside of its request: unknown, and it says why."""
    judgement = JUDGE(History.from_operations([write(1, 0, 9), read([1, 5, 20], 11, 25)]), TWO)
    assert judgement.verdict == "unknown"
    assert "WrongClock" in judgement.reason


def test_one_process_of_two_decides_nothing() -> None:
    """Held needs both processes."""
    assert judged(write(1, 0, 9), write(2, 2, 11))[0] == "not-exercised"


def _by_hand(history: list[Operation]) -> bool:
    """The promise word for word: no write between the read's own write and the read, and that one not later."""
    writes = {operation.value: operation for operation in history if operation.op == "write"}

    def before(a: Operation, b: Operation) -> bool:
        return a.end is not None and a.end < b.start

    return all(
        one.result in writes
        and not before(one, own := writes[one.result])  # type: ignore[index]
        and not any(before(own, other) and before(other, one) for other in writes.values())
        for one in history
        if one.op == "read"
    )


@pytest.mark.parametrize("seed", range(300))
def test_two_writes_decide_a_read(seed: int) -> None:
    """On random histories the verdict is that of the promise, word for word."""
    chance = random.Random(seed)

    def interval() -> tuple[int, int]:
        start = chance.randrange(40)
        return start, start + chance.randrange(1, 12)

    history = [write(value, *interval()) for value in range(1, 6)]
    history += [read(chance.randrange(1, 6), *interval()) for _ in range(chance.choice((1, 1, 3)))]
    found = EACH_READ.check(History.from_operations(history), initial=None, deadline=Deadline())
    assert found.verdict == ("held" if _by_hand(history) else "violated")
