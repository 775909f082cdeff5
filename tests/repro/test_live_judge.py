"""The judge beside Locust: what it finds while a load runs is true of the whole run."""

import random

import pytest

from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation
from statelab.core.live import Batch, Begin
from statelab.core.operation import Operation, ServedBy, encode_line
from statelab.record.columns import History
from statelab.repro.live.judge import Run, as_of, lost_so_far, with_last_answers

COUNT = frozenset({"increment"})
HERE = Expectation(expected_processes=1, spread=frozenset({"threads"}))
BEGIN = Begin(key="k", workload="counter", changes=["increment"], expected_processes=1, spread=["threads"], in_turn=[])


def counted(seed: int, lost: float, copies: int = 1) -> list[Operation]:
    """What eight clients see of one counter, or of one in each of several processes, which loses this share of their
    updates; sorted by end, as recorded; with a last read of each process."""
    rng = random.Random(seed)
    free = {client: rng.randrange(50) for client in range(8)}
    moments = []
    for number in range(160):
        client = min(free, key=free.__getitem__)
        start = free[client] + 1
        end = start + rng.randrange(2, 400)
        free[client] = end
        moments.append((rng.randrange(start, end), start, end, client, number))
    values, operations = [0] * copies, []
    for moment, start, end, client, number in sorted(moments):
        copy = number % copies
        told = values[copy] + 1
        values[copy] = values[copy] if rng.random() < lost else told
        served = ServedBy(host="h", pid=7 + copy, thread=moment % 3, greenlet=0, boot=f"b{copy}")
        operations.append(
            Operation(
                process=client, op="increment", start=start, end=end, status="ok", key="k", result=told,
                op_id=f"o{number}", served_by=served,
            )
        )  # fmt: skip
    after = 1 + max(operation.end or 0 for operation in operations)
    final = [
        Operation(
            process=9 + copy, op="read", start=after, end=after + 5, status="ok", key="k", result=value,
            served_by=ServedBy(host="h", pid=7 + copy, thread=0, greenlet=0, boot=f"b{copy}"),
        )
        for copy, value in enumerate(values)
    ]  # fmt: skip
    return [*sorted(operations, key=lambda operation: operation.end or 0), *final]


def recorded_at(operations: list[Operation], now: int) -> tuple[list[Operation], int]:
    """What has ended by then, and since when something is under way that is not recorded."""
    under_way = [each.start for each in operations if each.start < now <= (each.end or now)]
    return [each for each in operations if (each.end or 0) < now], min(under_way, default=now)


@pytest.mark.parametrize("seed", range(4))
def test_a_counter_that_loses_nothing_is_never_called_violated(seed: int) -> None:
    """Whenever one looks: requests that are under way have been counted already, and are not recorded yet. To take
    what is recorded for everything would be wrong, and the test would see it."""
    operations, naive = counted(seed, lost=0.0), 0
    for now in range(100, operations[-1].end or 0, 150):
        recorded, until = recorded_at(operations, now)
        for found in (as_of(recorded, until, COUNT), with_last_answers(recorded, until, COUNT)):
            judged = judge_of("counter")(History.from_operations(found), HERE)
            assert judged.verdict not in ("violated", "unknown"), judged.reason
        if recorded:
            naive += judge_of("counter")(History.from_operations(recorded), HERE).verdict == "violated"
    assert naive


def test_a_lost_update_is_found_before_the_end_and_the_end_is_the_report_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch by batch: the verdict comes while the load runs, with a proof and bounds that the end does not belie; the
    last one is that of the whole history."""
    monkeypatch.setattr("statelab.repro.live.judge.LOAD", 1e9)  # every batch is judged
    operations = counted(3, lost=0.2)
    run, sent, early = Run(BEGIN), 0, []
    for now in range(500, operations[-1].end or 0, 500):
        recorded, until = recorded_at(operations, now)
        lines = b"".join(map(encode_line, recorded[sent:]))
        sent = len(recorded)
        run.take(Batch(until=until, size=len(lines)), lines)
        early.append(run.seen())
    lines = b"".join(map(encode_line, operations[sent:]))
    run.take(Batch(until=None, size=len(lines)), lines)
    seen, whole = run.seen(), judge_of("counter")(History.from_operations(operations), HERE)
    assert [each.verdict for each in early[-3:]] == ["violated"] * 3
    assert early[-1].proof
    assert early[-1].proof.svg.startswith("<svg")
    assert (seen.verdict, [*seen.anomalies], seen.ended) == ("violated", whole.anomalies, True)
    assert whole.lost
    assert seen.lost == (whole.lost.min, whole.lost.max)
    assert early[-1].lost
    assert 0 < early[-1].lost[0] <= whole.lost.min
    assert early[-1].lost[0] <= early[-1].lost[1]
    assert seen.acknowledged == {"increment": len(operations) - 1} == {"increment": whole.operations.ok}
    assert [each.name for each in seen.shown] == ["pid 7"]
    assert {line.name: line.points[-1][1] for line in seen.chart} == {
        "acknowledged": len(operations) - 1,
        "pid 7": int(seen.shown[0].value),
    }


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("copies", [1, 2, 3])
def test_what_is_lost_so_far_is_not_more_than_in_the_end(seed: int, copies: int) -> None:
    """Whether one counter or several that go up alike, which cannot be told apart at first: the lower bound is never
    above what the highest numbers leave open, and some loss is seen before the end."""
    operations, looked = counted(seed, lost=0.2, copies=copies), 0
    for now in range(300, operations[-1].end or 0, 700):
        recorded, until = recorded_at(operations, now)
        found = lost_so_far(History.from_operations(with_last_answers(recorded, until, COUNT)))
        if found is None:
            continue
        highest: dict[str, int] = {}
        done = [each for each in recorded if each.op == "increment" and each.served_by]
        for each in done:
            boot = each.served_by.boot if each.served_by else ""
            highest[boot] = max(highest.get(boot, 0), each.result if isinstance(each.result, int) else 0)
        assert found.min <= len(done) - sum(highest.values()) + copies, (now, found)
        looked += found.min > 0
    assert looked


def test_where_something_is_missing_nothing_is_said_of_the_whole() -> None:
    """A worker whose clock is another one, or that was killed: what has come is counted, but it is not judged."""
    run, operations = Run(BEGIN), counted(3, lost=0.2)
    lines = b"".join(map(encode_line, operations))
    run.take(Batch(until=None, size=len(lines), trouble="a worker is gone"), lines)
    seen = run.seen()
    assert (seen.verdict, seen.reason, seen.anomalies, seen.proof) == ("unknown", "a worker is gone", {}, None)
    assert seen.recorded == len(operations)


def test_of_a_request_that_was_under_way_only_the_effect_is_left() -> None:
    """An increment may have been counted; a read says nothing. What started later is left out."""
    one = Operation(process=1, op="increment", start=1, end=9, status="ok", result=1)
    read = Operation(process=2, op="read", start=2, end=8, status="ok", result=1)
    later = Operation(process=3, op="increment", start=5, end=6, status="ok", result=2)
    before = Operation(process=4, op="increment", start=1, end=3, status="ok", result=1)
    found = as_of([one, read, later, before], 4, COUNT)
    assert [(each.process, each.status, each.end, each.result) for each in found] == [
        (1, "info", None, None),
        (2, "fail", 8, None),
        (4, "ok", 3, 1),
    ]
