"""The judge of the workload `connection`: replies that are somebody else's, and failures while the store was up."""

import pytest

from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))
DOWN = 'HTTP 503: {"error":"redis did not answer: InvalidResponse: Protocol Error","store":"redis"}'


def _operation(op: str, start: int, end: int | None, status: str, **more: object) -> Operation:
    by = ServedBy(host="h", pid=start % 2, thread=1, greenlet=0, boot=f"boot-{start % 2}")
    return Operation(process=start, op=op, start=start, end=end, status=status, value=start, served_by=by, **more)  # type: ignore[arg-type]


def echo(start: int, end: int, result: int | None = None) -> Operation:
    return _operation("echo", start, end, "ok", result=start if result is None else result)


def failed(start: int, error: str = DOWN, **more: object) -> Operation:
    return _operation("echo", start, None, "info", error=error, **more)


def probe(start: int, status: str = "ok") -> Operation:
    return _operation("probe", start, start + 2, status, result=start if status == "ok" else None)


def judged(*operations: Operation) -> tuple[str, list[str]]:
    judgement = judge_of("connection")(History.from_operations(operations), TWO)
    return judgement.verdict, judgement.anomalies


FINE = (echo(10, 20), echo(11, 21))


def test_each_its_own_reply() -> None:
    """Held where two processes answered and requests overlapped."""
    assert judged(probe(0), *FINE, probe(90)) == ("held", [])


def test_a_reply_of_somebody_else_or_none() -> None:
    """Whoever sent it, and whenever: it did not belong here."""
    for reply in (11, 10, 77):
        assert judged(*FINE, echo(15, 25, reply)) == ("violated", ["crossed-replies"])
    nothing = _operation("echo", 15, 25, "ok", result=None)
    assert judged(*FINE, nothing) == ("violated", ["crossed-replies"])


def test_a_failure_while_the_store_was_up() -> None:
    """Probes before and after reach the store: the witness is the failure between them."""
    history = [probe(0), *FINE, failed(30), probe(90)]
    judgement = judge_of("connection")(History.from_operations(history), TWO)
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["broken-connection"])
    assert judgement.witness is not None
    assert [operation.start for operation in judgement.witness.operations] == [0, 30, 90]
    assert "Protocol Error" in judgement.witness.text


def test_a_request_that_got_its_own_reply_reached_the_store_as_well() -> None:
    """Where nobody could ask afterwards, such a request before the failure and one after it do; a reply that is
    somebody else's shows a store that is up no more than none."""
    assert judged(*FINE, failed(30), echo(40, 50)) == ("violated", ["broken-connection"])
    assert judged(*FINE, failed(30), echo(40, 50, 10))[1] == ["crossed-replies"]


def test_a_failure_that_may_have_another_cause() -> None:
    """A store that did not answer a probe, no probe afterwards or before, an error of something else."""
    assert judged(probe(0), *FINE, failed(30), probe(80, "fail"), probe(90))[0] != "violated"
    assert judged(probe(0), *FINE, failed(30))[0] != "violated"
    assert judged(failed(5), *FINE, probe(90))[0] != "violated"
    assert judged(probe(0), *FINE, failed(30, "HTTP 500: oops"), probe(90))[0] != "violated"
    assert judged(probe(0), *FINE, failed(30, "ConnectionResetError: peer"), probe(90))[0] != "violated"


def left(start: int, opened: int | None, kept: int = 1, status: str = "ok") -> Operation:
    return _operation("left", start, start + 1, status, result=None if opened is None else [opened, kept])


LOAD = (echo(10, 20), echo(11, 21), echo(12, 14))


@pytest.mark.parametrize(
    ("opened", "kept", "verdict"),
    [
        (3, 0, "held"),
        (4, 0, "violated"),
        (5, 1, "held"),  # one for each of the two processes
        (6, 1, "violated"),
        (9, 8, "held"),  # three requests at once, so six connections can have had a use
        (10, 8, "violated"),
    ],
)
def test_connections_that_nobody_uses_any_more(opened: int, kept: int, verdict: str) -> None:
    """More than before the load by more than the processes may keep, or can have needed."""
    found = judged(left(0, 3, kept), *LOAD, left(60, opened, kept))
    assert found == (verdict, ["connections-left"] if verdict == "violated" else [])


def test_the_least_count_after_the_load_counts() -> None:
    """A server takes its time to end a connection; a count while requests run says nothing."""
    assert judged(left(0, 1, 0), *LOAD, left(60, 9, 0), left(70, 1, 0)) == ("held", [])
    assert judged(left(0, 1, 0), echo(10, 20), left(21, 1, 0), echo(30, 40), echo(31, 41), left(60, 9, 0))[1] == [
        "connections-left"
    ]


def test_a_witness_of_connections_left_is_both_counts() -> None:
    """What was there before and what is there now, with the numbers."""
    judgement = judge_of("connection")(History.from_operations([left(0, 1, 0), *LOAD, left(60, 9, 0)]), TWO)
    assert judgement.witness is not None
    assert [operation.start for operation in judgement.witness.operations] == [0, 60]
    assert "8 more" in judgement.witness.text


def test_who_could_not_count_does_not_pass() -> None:
    """Asked, and never answered: unknown. Where no server counts, the answer says so, and the rest is judged."""
    assert judged(left(0, 0, status="fail"), *LOAD, left(60, 0, status="fail"))[0] == "unknown"
    assert judged(left(0, None), *LOAD)[0] == "held"
    assert judged(left(0, 1), echo(10, 20), echo(11, 21, 10))[1] == ["crossed-replies"]


def test_both_and_a_stall() -> None:
    """Each by its own name; what timed out is a stall and not a failure."""
    assert judged(probe(0), *FINE, echo(15, 25, 10), failed(30), probe(90))[1] == [
        "crossed-replies",
        "broken-connection",
    ]
    assert judged(probe(0), *FINE, failed(30, "TimeoutError: timed out", timed_out=True), probe(90))[1] == ["stalled"]
