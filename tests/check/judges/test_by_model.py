"""A workload judged by a checker's model: names, coverage, answers, stalls."""

from dataclasses import replace

import msgspec

from statelab.check.judges.by_model import ByModel
from statelab.check.judges.judgement import Expectation
from statelab.check.judges.request_scope import judge
from statelab.check.models import MODELS
from statelab.core.operation import Operation, ServedBy
from statelab.record.columns import History

IDS = ByModel(model=MODELS["unique-ids"], names={"duplicate": "duplicate-id"})
SHOP = ByModel(model=MODELS["inventory"], names={"oversold": "oversold"}, initial=1)
TWO = Expectation(expected_processes=2, spread=frozenset({"processes"}))


def server(number: int) -> ServedBy:
    return ServedBy(host="h", pid=number, thread=number, greenlet=0, boot=f"boot-{number}")


def done(op: str, start: int, end: int | None, result: object, by: int = 1, **more: object) -> Operation:
    status = "info" if end is None else "ok"
    return Operation(
        process=start, op=op, start=start, end=end, status=status, result=result, served_by=server(by), **more
    )  # type: ignore[arg-type]


def history(*operations: Operation) -> History:
    return History.from_operations(operations)


def test_a_contradiction_gets_the_name_of_the_workload() -> None:
    """The model's word becomes the anomaly, with a witness and the scope at which no contradiction is left."""
    judgement = IDS(history(done("new-id", 1, 5, "a", 1), done("new-id", 2, 6, "a", 2)), TWO)
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["duplicate-id"])
    assert judgement.witness is not None
    assert [o.start for o in judgement.witness.operations] == [1, 2]
    assert judgement.operations.ok == 2
    assert judgement.scope


def test_held_needs_coverage() -> None:
    """Without a contradiction the cell is held only if every process answered and operations overlapped."""
    both = history(done("new-id", 1, 5, "a", 1), done("new-id", 2, 6, "b", 2))
    one = history(done("new-id", 1, 5, "a", 1), done("new-id", 2, 6, "b", 1))
    assert IDS(both, TWO).verdict == "held"
    assert IDS(one, TWO).verdict == "not-exercised"
    assert IDS(history(done("new-id", 1, None, None)), TWO).reason == "no operation was acknowledged"


def test_a_wait_for_a_process_that_starts_slowly_is_no_stall() -> None:
    """Requests that found no worker say nothing of the mechanism, and nothing is held either; where each request has a
    process of its own, or the first ones wait, none was replaced."""
    ms = 1_000_000
    fine = [done("new-id", 0, ms, "a", 1), done("new-id", 0, 2 * ms, "b", 2)]
    late = done("new-id", 4 * ms, None, None, timed_out=True)
    slow = [done("new-id", 3 * ms, 1_500 * ms, "c", 3), done("new-id", 1_500 * ms, 1_501 * ms, "d", 3)]
    replaced = IDS(history(*fine, *slow, late), TWO)
    assert (replaced.verdict, replaced.anomalies) == ("not-exercised", [])
    assert "1 operation timed out, and a process that began meanwhile" in replaced.reason
    assert IDS(history(*fine, *slow), TWO).verdict == "held"
    soon = [done("new-id", 3 * ms, 500 * ms, "c", 3), done("new-id", 1_500 * ms, 1_501 * ms, "d", 3)]
    for others in (
        soon,
        slow[:1],
        [done("new-id", 0, 1_500 * ms, "c", 3), done("new-id", 1_500 * ms, 1_501 * ms, "d", 3)],
    ):
        assert IDS(history(*fine, *others, late), TWO).anomalies == ["stalled"]


def test_where_workers_are_replaced_silence_is_no_stall() -> None:
    """It may be that none had started yet, also where a new one answers afterwards. That one of before answers what was
    sent a second later says that somebody was there."""
    ms = 1_000_000
    fine = [done("new-id", 0, 1, "a", 1), done("new-id", 0, 2, "b", 2)]
    late, at = done("new-id", 4, None, None, timed_out=True), 1_500 * ms
    replaced = replace(TWO, replaced=True)
    assert IDS(history(*fine, late), replaced).verdict == "not-exercised"
    assert "none had started yet" in IDS(history(*fine, late), replaced).reason
    assert IDS(history(*fine, late, done("new-id", at, at + ms, "c", 3)), replaced).verdict == "not-exercised"
    assert IDS(history(*fine, late, done("new-id", at, at + ms, "c", 1)), replaced).anomalies == ["stalled"]
    assert IDS(history(*fine, late), TWO).anomalies == ["stalled"]


def test_answers_are_those_of_the_model_and_other_operations_are_left_out() -> None:
    """Yes and no come as words; what prepared the cell says nothing of the promise."""
    sold = [done("stock", 0, 1, 1), done("buy", 2, 5, "ok", 1), done("buy", 3, 6, "ok", 2)]
    judgement = SHOP(history(*sold), TWO)
    assert (judgement.verdict, judgement.anomalies, judgement.operations.ok) == ("violated", ["oversold"], 2)
    assert SHOP(history(*sold[:2], done("buy", 3, 6, "sold-out", 2)), TWO).verdict == "held"


def test_a_stall_is_an_anomaly_of_every_workload() -> None:
    """A request that got no answer in time is shown by itself."""
    late = done("new-id", 3, None, None, timed_out=True)
    judgement = IDS(history(done("new-id", 1, 2, "a"), late), TWO)
    assert (judgement.verdict, judgement.anomalies) == ("violated", ["stalled"])


def test_a_checker_that_stops_decides_nothing() -> None:
    """Its error is the reason of an unknown, never a pass."""
    broken = ByModel(model=MODELS["inventory"], names={}, initial=1)
    judgement = broken(history(done("buy", 2, 5, "ok", 1), done("buy", 3, 6, "ok", 2)), TWO)
    assert judgement.verdict == "unknown"
    assert "the checker stopped" in judgement.reason


def test_both_leaks_are_told_each_with_its_own_witness() -> None:
    """What is read back from another under way and what is found of one that has ended are two anomalies."""
    found = [
        done("echo", 1, 5, "b", 1, value="a"),
        done("echo", 2, 6, "b", 2, value="b"),
        done("find", 8, 9, "b", 1, value="c"),
        done("find", 8, 9, "d", 1, value="d"),
    ]
    judgement = judge(history(*found), TWO)
    assert judgement.anomalies == ["leak-overlap", "leak-residue"]
    assert {name: [o.value for o in w.operations] for name, w in judgement.witnesses.items()} == {
        "leak-overlap": ["a"],
        "leak-residue": ["c"],
    }
    assert judge(history(found[1], done("echo", 3, 7, "a", 1, value="a"), found[3]), TWO).verdict == "held"


def test_greenlets_that_never_give_way_serve_in_turn() -> None:
    """Where nothing is patched, two greenlets of a thread cannot have been under way together, whatever the clients'
    stamps say: the value was left behind. Both greenlets count as met."""
    greenlets = [msgspec.structs.replace(server(1), greenlet=number) for number in (1, 2)]
    found = [
        msgspec.structs.replace(done("echo", 1, 5, "a", value="a"), served_by=greenlets[0]),
        msgspec.structs.replace(done("find", 2, 6, "a", value="b"), served_by=greenlets[1]),
    ]
    patched = Expectation(expected_processes=1, spread=frozenset({"greenlets"}))
    unpatched = replace(patched, in_turn=frozenset({"greenlets"}))
    assert judge(history(*found), patched).anomalies == ["leak-overlap"]
    judgement = judge(history(*found), unpatched)
    assert (judgement.anomalies, judgement.coverage.greenlets) == (["leak-residue"], 2)
