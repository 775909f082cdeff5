"""The judge of locks: holds from the holders' stamps, refusals, foreign clocks, and a lock that a dead one keeps."""

from typing import Any

import pytest

from statelab.check.judges import lock
from statelab.check.judges.judgement import Expectation
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))
SECOND = 1_000_000_000


def work(start: int, end: int | None, result: Any = None, by: int = 1, **more: Any) -> Operation:
    server = ServedBy(host="h", pid=by, thread=by, greenlet=0, boot=f"boot-{by}")
    status = "info" if end is None else "ok"
    return Operation(
        process=f"client {start}",
        op="work",
        start=start,
        end=end,
        status=status,
        result=result,
        served_by=server if end else None,
        **more,
    )


def judge(*operations: Operation) -> Any:
    return lock.judge(History.from_operations(operations), TWO)


def test_holds_that_follow_each_other_are_held() -> None:
    """The requests overlap, the times inside the sections do not; counts and latency are those of requests."""
    judgement = judge(work(0, 50, [10, 20], by=1), work(5, 60, [30, 40], by=2))
    assert judgement.verdict == "held"
    assert (judgement.operations.ok, judgement.coverage.overlaps, judgement.coverage.processes) == (2, 1, 2)
    assert judgement.latency_ms.p50 == pytest.approx(52.5e-6)


def test_two_holders() -> None:
    """Both were inside at 25: proof, with the acquires as witness."""
    judgement = judge(work(0, 50, [10, 30], by=1), work(5, 60, [25, 40], by=2))
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["two-holders"])
    assert [o.end for o in judgement.witness.operations] == [10, 25]


def test_who_did_no_work_held_nothing() -> None:
    """`busy` and `refused` are failed acquires; an answer that never came may be any hold, so it proves nothing."""
    good = [work(0, 50, [10, 30], by=1), work(5, 60, [31, 40], by=2)]
    judgement = judge(*good, work(7, 90, "busy"), work(8, 90, "refused"), work(9, None))
    assert judgement.verdict == "held"
    ended = judgement.operations
    assert (ended.ok, ended.fail, ended.info) == (2, 2, 1)


@pytest.mark.parametrize("stamps", [[10, 60], [-5, 20], [30, 20]])
def test_stamps_of_another_clock_decide_nothing(stamps: list[int]) -> None:
    """A hold outside its own request cannot be, so nothing is concluded from such stamps."""
    judgement = judge(work(0, 50, stamps, by=1), work(5, 60, [25, 40], by=2))
    assert judgement.verdict == "unknown"
    assert "WrongClock" in judgement.reason


DEAD = work(SECOND, None)
BUSY = work(5 * SECOND, 7 * SECOND, "busy", by=2)


def test_a_lock_that_a_dead_holder_keeps_is_stuck() -> None:
    """Six seconds after the holder's connection broke the lock is still busy, and nobody else had it."""
    judgement = judge(work(1, 5, [2, 3]), DEAD, BUSY)
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["stuck"])
    assert [o.start for o in judgement.witness.operations] == [DEAD.start, BUSY.start]


@pytest.mark.parametrize(
    "more",
    [
        work(3 * SECOND, 4 * SECOND, [3 * SECOND + 1, 3 * SECOND + 2], by=2),
        work(4 * SECOND, None, timed_out=True),
    ],
    ids=["somebody else had it", "somebody may still have it"],
)
def test_a_lock_that_others_hold_is_not_stuck(more: Operation) -> None:
    """A live holder, or one that may be, excuses the wait."""
    assert "stuck" not in judge(DEAD, more, BUSY).anomalies


def test_a_short_wait_for_a_lease_is_not_stuck() -> None:
    """A dead holder's lease may still run: within five seconds nothing is concluded."""
    assert judge(DEAD, work(2 * SECOND, 4 * SECOND, "busy", by=2)).anomalies == []


def part(op: str, start: int, client: int, result: str | None = None) -> Operation:
    by = ServedBy(host="h", pid=client % 2, thread=client % 2, greenlet=0, boot=f"boot-{client % 2}")
    return Operation(
        process=client, op=op, key="k", start=start, end=start + 5, status="ok", result=result, served_by=by
    )


def test_a_lock_that_is_taken_with_one_request_and_released_with_another() -> None:
    """Held from the end of the acquire to the start of the release; a refusal is an answer, and no hold."""
    first = [part("acquire", 0, 1), part("release", 20, 1)]
    waited = [part("acquire", 2, 2, "busy"), part("acquire", 22, 2), part("release", 40, 2)]
    assert judge(*first, *waited).verdict == "held"
    together = judge(*first, part("acquire", 2, 2), part("release", 40, 2))
    assert (together.verdict, together.anomalies) == ("violated", ["two-holders"])
    assert judge(*first).verdict == "not-exercised"
