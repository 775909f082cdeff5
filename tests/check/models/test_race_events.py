"""Race events: who set the counter back, and how many updates that cost."""

from counter_histories import history, inc, read, server
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.verdict import check
from statelab.check.models.counter.words import proof

ROLL_BACK = history(
    inc(0, 1_000_000, 1, server(12, 3)),
    inc(2_000_000, 20_000_000, 2, server(12, 4)),  # reads 1 at once, and writes 2 at the very end
    inc(2_500_000, 4_000_000, 2, server(12, 3)),
    inc(5_000_000, 6_000_000, 3, server(12, 3)),
    inc(7_000_000, 8_000_000, 4, server(12, 3)),
    inc(21_000_000, 22_000_000, 3, server(12, 3)),
    inc(23_000_000, 24_000_000, 4, server(12, 3)),
    inc(25_000_000, 26_000_000, 5, server(12, 3)),
    read(30_000_000, 31_000_000, 5, server(12, 3)),
)
"""One slow request undoes three updates of others."""


def test_one_slow_writer_is_one_event() -> None:
    """Three duplicates, of which two pairs do not even overlap, are one event with one culprit."""
    verdict = check(ROLL_BACK)
    event = RaceEvent(culprit=1, original=2, reissue=5, first=2, last=4, rolled_back=3, surplus=3)
    assert verdict.race_events == (event,)
    assert event.alone
    assert verdict.duplicates == 3
    assert verdict.witness is not None
    assert verdict.witness.rows == (2, 1)


def test_the_proof_tells_the_story() -> None:
    """The words name both requests, who served them and when, and say what the slow one did."""
    assert proof(ROLL_BACK, check(ROLL_BACK)) == (
        "A and B were both told 2. A counter that adds one for each request can hand out 2 only once. "
        "A: pid 12, thread 4, from 0.000 to 18.000 ms. B: pid 12, thread 3, from 0.500 to 2.000 ms. "
        "A found 1 early and wrote 2 late: before A ended, the numbers up to 4 had been handed out, and 3 was handed "
        "out again (pid 12, thread 3, from 19.000 to 20.000 ms). A rolled back 3 updates."
    )


def test_runs_apart_are_events_apart() -> None:
    """A number handed out once between two repeated ones separates two events; so does another key."""
    pairs = [(0, 1), (0, 1), (2, 2), (4, 3), (4, 3)]
    verdict = check(history(*(inc(start, start + 1, told) for start, told in pairs)))
    assert [(e.first, e.last, e.rolled_back, e.surplus) for e in verdict.race_events] == [(1, 1, 1, 1), (3, 3, 1, 1)]
    told = [(1, "a"), (1, "a"), (2, "b"), (2, "b"), (1, "b")]
    keyed = check(history(*(inc(0, 1, number, key=key) for number, key in told)))
    assert [(e.first, e.last) for e in keyed.race_events] == [(1, 1), (2, 2)]


def test_a_crowd_is_not_blamed_on_one() -> None:
    """Where many share each number, the last of them rolled back at most what had been handed out by then."""
    crowd = [inc(10 * n, 10 * n + 5 + k, n + 1) for n in range(4) for k in range(5)]
    (event,) = check(history(*crowd)).race_events
    assert (event.first, event.last, event.rolled_back, event.surplus, event.reissue) == (1, 4, 1, 16, None)
    assert not event.alone
    (three,) = check(history(inc(0, 5, 1), inc(0, 6, 1), inc(0, 7, 1))).race_events
    assert (three.rolled_back, three.surplus, three.alone) == (1, 2, False)


def test_the_event_that_rolled_back_most_is_the_witness() -> None:
    """Of a small and a large event the large one is shown."""
    small = [inc(0, 1, 1), inc(0, 1, 1)]
    shift = 100_000_000
    large = [inc(o.start + shift, (o.end or 0) + shift, (o.result or 0) + 1) for o in ROLL_BACK.operations()[1:-1]]
    verdict = check(history(*small, inc(2, 3, 2), *large))
    assert len(verdict.race_events) == 2
    assert verdict.witness is not None
    assert verdict.witness.rows == (4, 3)
