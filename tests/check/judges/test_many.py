"""Requests that count many times are judged as the increments they consist of; what is not seen rests on how many of
them met."""

import random

import msgspec
import pytest

from counter_histories import history, inc, read, server, unknown
from statelab.check.judges.counter.judge import judge
from statelab.check.judges.counter.many import met, one_by_one
from statelab.check.judges.judgement import Expectation
from statelab.core.operation import Operation
from statelab.core.results import Bounds

THREADS = Expectation(expected_processes=1, spread=frozenset({"threads"}))
ONE, TWO = server(thread=1), server(thread=2)


def many(start: int, end: int, stamps: tuple[int, int], told: list[int], thread: int = 1) -> Operation:
    """A request that counted so often between its two stamps."""
    once = inc(start, end, 0, server(thread=thread))
    return msgspec.structs.replace(once, result=[*stamps, *told], value=len(told))


@pytest.mark.parametrize(
    ("told", "verdict", "anomalies", "lost"),
    [
        (([1, 2, 4], [3, 5, 6]), "held", [], None),
        (([1, 2, 3], [2, 3, 4]), "violated", ["lost-update"], Bounds(min=2, max=2)),
        (([1, 2, 4], [3, 4, 5]), "violated", ["lost-update"], Bounds(min=1, max=1)),
    ],
)
def test_the_increments_of_two_requests(
    told: tuple[list[int], list[int]], verdict: str, anomalies: list[str], lost: Bounds | None
) -> None:
    """Six increments are acknowledged, and all must be found in the end."""
    final = max(map(max, told))
    requests = [many(0, 9, (2, 6), told[0]), many(1, 8, (4, 7), told[1], thread=2)]
    judged = judge(history(*requests, read(10, 11, final, ONE), read(12, 13, final, TWO)), THREADS)
    assert (judged.verdict, judged.anomalies) == (verdict, anomalies)
    assert judged.operations.ok == 6
    assert judged.coverage.met == 1
    assert lost is None or judged.lost == lost
    assert verdict == "violated" or judged.reason.endswith("1 pair of requests counted at the same time")


def test_requests_that_did_not_meet_prove_nothing() -> None:
    """For the clients they overlap, on their host one ended before the other began."""
    requests = [many(0, 9, (1, 3), [1, 2]), many(1, 8, (4, 7), [3, 4], thread=2), read(10, 11, 4, ONE)]
    judged = judge(history(*requests), THREADS)
    assert (judged.verdict, judged.coverage.overlaps, judged.coverage.met) == ("not-exercised", 1, 0)


def test_one_without_an_answer_may_have_counted_as_often_as_it_was_to() -> None:
    """Two of its three increments took effect."""
    lost = msgspec.structs.replace(unknown(1), value=3)
    seen = [many(0, 9, (1, 3), [1, 4]), many(2, 9, (2, 4), [5], thread=2), read(10, 11, 5, ONE)]
    assert judge(history(*seen, lost), THREADS).verdict == "held"
    assert judge(history(*seen, msgspec.structs.replace(lost, value=1)), THREADS).verdict == "violated"


def test_an_ordinary_history_stays_as_it_is() -> None:
    ordinary = history(inc(0, 5, 1, ONE), read(6, 7, 1, ONE))
    assert one_by_one(ordinary) is ordinary


def test_meetings_are_counted_by_counter_and_by_host() -> None:
    """Against the count of all pairs."""
    rng = random.Random(7)
    requests = []
    for number in range(60):
        begun = rng.randrange(100)
        made = many(0, 200, (begun, begun + rng.randrange(9)), [number])
        requests.append(
            msgspec.structs.replace(made, key=rng.choice("ab"), served_by=server(host=rng.choice("xy"), thread=number))
        )

    def touch(one: Operation, other: Operation) -> bool:
        assert isinstance(one.result, list)
        assert isinstance(other.result, list)
        assert one.served_by
        assert other.served_by
        same = (one.key, one.served_by.host) == (other.key, other.served_by.host)
        return same and not (one.result[1] < other.result[0] or other.result[1] < one.result[0])  # type: ignore[operator]

    pairs = sum(touch(one, other) for place, one in enumerate(requests) for other in requests[:place])
    assert met(history(*requests)) == pairs > 0
