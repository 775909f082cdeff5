"""The judge of work that must be done once: retries are one request, and the last read of the ledger is the log."""

from typing import Any

import pytest

from statelab.check.judges.judgement import Expectation
from statelab.check.judges.once import judge
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))


def operation(op: str, start: int, end: int | None, result: Any, by: int, **more: Any) -> Operation:
    server = ServedBy(host="h", pid=by, thread=by, greenlet=0, boot=f"boot-{by}")
    status = more.pop("status", "info" if end is None else "ok")
    return Operation(
        process=f"{op} {start}",
        op=op,
        key="k",
        start=start,
        end=end,
        status=status,
        result=result,
        served_by=server,
        **more,
    )


def asked(op_id: str, start: int, end: int | None, by: int = 1, work: str = "", **more: Any) -> Operation:
    result = (work or op_id) if end is not None and more.get("status", "ok") == "ok" else None
    return operation("execute", start, end, result, by, op_id=op_id, **more)


def ledger(start: int, *works: str) -> Operation:
    return operation("read", start, start + 5, [f"{work} 12 {start - 1}" for work in works], 1)


def verdict(*operations: Operation) -> tuple[str, list[str]]:
    judgement = judge(History.from_operations(operations), TWO)
    return judgement.verdict, judgement.anomalies


RETRIED = (asked("r", 0, 10, by=1), asked("r", 1, 12, by=2))


@pytest.mark.parametrize(
    ("works", "expected"),
    [
        (["r"], ("held", [])),
        (["r", "r"], ("violated", ["ran-n-times"])),
        ([], ("violated", ["never-ran"])),
    ],
)
def test_a_request_and_its_retry_are_one(works: list[str], expected: tuple[str, list[str]]) -> None:
    """Both were answered: one effect, not two and not none."""
    assert verdict(*RETRIED, ledger(50, *works)) == expected


def test_work_that_all_rely_on_is_one() -> None:
    """The answers, not the requests, name what must be done once."""
    both = asked("a", 0, 10, by=1, work="start-up"), asked("b", 1, 12, by=2, work="start-up")
    assert verdict(*both, ledger(50, "start-up"))[0] == "held"
    assert verdict(*both, ledger(50, "start-up", "start-up")) == ("violated", ["ran-n-times"])


def test_a_refused_attempt_counts_with_the_one_that_was_not() -> None:
    """A 409 beside an answer is a retry that came too early; beside nothing it must have had no effect."""
    refused = asked("r", 1, 12, by=2, status="fail")
    assert verdict(RETRIED[0], refused, RETRIED[1], ledger(50, "r"))[0] == "held"
    assert verdict(*RETRIED, asked("s", 2, 9, status="fail"), ledger(50, "r", "s"))[0] == "unknown"


def test_without_an_answer_there_may_be_an_effect_or_not() -> None:
    """One, none, but not two."""
    lost = asked("s", 2, None)
    assert verdict(*RETRIED, lost, ledger(50, "r"))[0] == "held"
    assert verdict(*RETRIED, lost, ledger(50, "r", "s"))[0] == "held"
    assert verdict(*RETRIED, lost, ledger(50, "r", "s", "s")) == ("violated", ["ran-n-times"])


def test_only_what_was_answered_before_the_last_read_must_be_in_it() -> None:
    """An earlier read is no evidence, and a request answered after the read began may be missing from it."""
    assert verdict(ledger(4), *RETRIED, ledger(50, "r"))[0] == "held"
    assert verdict(*RETRIED, asked("late", 45, 60, by=2), ledger(50, "r"))[0] == "held"
    assert verdict(*RETRIED, asked("late", 45, 49, by=2), ledger(50, "r")) == ("violated", ["never-ran"])


def test_without_a_ledger_nothing_is_known() -> None:
    """No read was answered: no verdict."""
    judgement = judge(History.from_operations(RETRIED), TWO)
    assert (judgement.verdict, judgement.anomalies) == ("unknown", [])
    assert "no read of the ledger" in judgement.reason


def test_coverage_is_that_of_the_requests() -> None:
    """Retries count as what they are: both processes answered, and they overlapped."""
    judgement = judge(History.from_operations([*RETRIED, ledger(50, "r")]), TWO)
    assert (judgement.operations.ok, judgement.coverage.processes) == (2, 2)
    assert judgement.coverage.overlaps >= 1
    one = judge(History.from_operations([RETRIED[0], asked("r", 1, 12, by=1), ledger(50, "r")]), TWO)
    assert one.verdict == "not-exercised"
