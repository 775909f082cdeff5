"""The counter checker: smallest accepted and rejected histories, witnesses, counts, and planted violations.

`inc(start, end, told)` is an acknowledged increment, `read(start, end, value)` an answered read.
"""

from collections.abc import Callable
from dataclasses import replace

import msgspec
import numpy as np
import pytest

from counter_histories import history, inc, read, refused, unknown, valid_history
from statelab.check.models.counter.verdict import CounterVerdict, check
from statelab.core.operation import Operation
from statelab.core.results import Bounds
from statelab.record.columns import FAIL, INFO, History

ACCEPTED = {
    "nothing at all": [],
    "one after the other": [inc(0, 1, 1), inc(2, 3, 2), read(4, 5, 2)],
    "overlapping, in either order": [inc(0, 9, 2), inc(1, 8, 1)],
    "touching intervals overlap": [inc(0, 5, 2), inc(5, 9, 1)],
    "a read during an increment, before it": [inc(0, 9, 1), read(2, 3, 0)],
    "a read during an increment, after it": [inc(0, 9, 1), read(2, 3, 1)],
    "a read of nothing yet": [read(0, 1, None), inc(2, 3, 1)],
    "an unknown increment that took effect": [unknown(0), inc(5, 6, 2)],
    "an unknown increment that did not": [unknown(0), inc(5, 6, 1), read(7, 8, 1)],
    "an unknown increment that takes effect after the last answer": [
        unknown(0),
        inc(5, 6, 1),
        read(7, 8, 1),
        read(9, 9, 2),
    ],
    "a refused increment": [refused(0, 1), inc(2, 3, 1)],
    "one counter per key": [inc(0, 1, 1, key="a"), inc(2, 3, 1, key="b")],
}

REJECTED: dict[str, tuple[list[Operation], str, list[int]]] = {
    "two increments told the same number": ([inc(0, 1, 1), inc(2, 3, 2), inc(4, 5, 2)], "duplicate", [1, 2]),
    "an increment told the initial value": ([inc(0, 1, 0)], "too-low", [0]),
    "a read below the initial value": ([read(0, 1, -1)], "too-low", [0]),
    "a lower number handed out later": ([inc(0, 1, 2), inc(2, 3, 1), inc(0, 9, 3)], "inversion", [1, 0]),
    "a read that misses an increment": ([inc(0, 1, 1), read(2, 3, 0)], "inversion", [1, 0]),
    "two reads in the wrong order": ([inc(0, 9, 1), read(1, 2, 1), read(3, 4, 0)], "inversion", [2, 1]),
    "a value read before it was made": ([read(0, 1, 1), inc(2, 3, 1), unknown(0)], "inversion", [1, 0]),
    "a value that nobody can have made": ([inc(0, 1, 1), read(2, 3, 2)], "gap", [1]),
    "a number too high": ([inc(0, 1, 1), inc(2, 3, 3)], "gap", [1]),
    "an unknown increment that came too late": ([inc(0, 1, 2), unknown(2)], "gap", [0]),
    "a refused increment that had an effect": ([refused(0, 1), inc(2, 3, 2)], "gap", [1]),
    "too few for one number, as another came later": ([inc(0, 5, 2), inc(0, 9, 3), unknown(7)], "gap", [0, 1]),
    "the wrong key": ([inc(0, 1, 1, key="a"), read(2, 3, 1, key="b")], "gap", [1]),
}


@pytest.mark.parametrize("operations", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepts(operations: list[Operation]) -> None:
    """One counter per key can have given all these answers."""
    verdict = check(history(*operations))
    assert (verdict.verdict, verdict.witness) == ("held", None)


@pytest.mark.parametrize(("operations", "kind", "rows"), REJECTED.values(), ids=REJECTED.keys())
def test_rejects(operations: list[Operation], kind: str, rows: list[int]) -> None:
    """No counter can have given these answers, and the named rows are the smallest proof."""
    verdict = check(history(*operations))
    assert verdict.verdict == "violated"
    assert verdict.witness is not None
    assert (verdict.witness.kind, list(verdict.witness.rows)) == (kind, rows)


def test_the_initial_value_is_a_parameter() -> None:
    """A counter that starts at 10 hands out 11 first."""
    assert check(history(inc(0, 1, 11)), initial=10).verdict == "held"
    assert check(history(inc(0, 1, 11))).verdict == "violated"


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        (Operation(process=0, op="buy", start=0, end=1, status="ok"), "knows increment and read, not 'buy'"),
        (Operation(process=0, op="increment", start=0, end=1, status="ok"), "needs the number that it returned"),
    ],
)
def test_refuses_what_is_not_a_counter_that_answers(operation: Operation, message: str) -> None:
    """A history of another model is an error in words, never a verdict."""
    with pytest.raises(ValueError, match=message):
        check(history(inc(0, 1, 1), operation))


def test_slack_tells_how_wrong_clocks_would_have_to_be() -> None:
    """An inversion and a late increment need clocks, and say how much; a duplicate needs none."""
    inverted = check(history(inc(0, 10, 2), inc(25, 30, 1)))
    late = check(history(inc(0, 10, 2), unknown(17)))
    twice = check(history(inc(0, 10, 1), inc(25, 30, 1)))
    never = check(history(inc(0, 10, 2)))
    assert [v.witness.slack_ns for v in (inverted, late, twice, never) if v.witness] == [15, 7, None, None]


def test_of_several_inversions_the_largest_slack_is_shown() -> None:
    """The clearest contradiction comes first; at equal slack the one with the shortest span."""
    verdict = check(history(inc(0, 10, 3), inc(4, 12, 4), inc(40, 41, 1), inc(40, 60, 2), unknown(0), unknown(0)))
    assert verdict.witness is not None
    assert (verdict.witness.rows, verdict.witness.slack_ns) == ((2, 0), 30)
    assert verdict.inversions == 2


def test_a_smaller_witness_is_preferred() -> None:
    """One operation that proves the violation alone is shown rather than a pair."""
    verdict = check(history(inc(0, 1, 1), inc(2, 3, 1), inc(4, 5, 9)))
    assert verdict.witness is not None
    assert (verdict.witness.kind, verdict.witness.rows) == ("gap", (2,))
    assert (verdict.witness.needed, verdict.witness.asked) == (9, 3)


def test_lost_updates_are_bounded_by_the_final_reads() -> None:
    """Acks less the final value, plus what unknown outcomes may add; the lowest of several final reads counts."""

    def lost(*operations: Operation) -> Bounds | None:
        return check(history(*operations)).lost

    assert lost(inc(0, 1, 1), inc(0, 1, 1), inc(2, 3, 2)) is None
    assert lost(inc(0, 1, 1), inc(0, 1, 1), inc(2, 3, 2), read(4, 5, 2)) == Bounds(min=1, max=1)
    assert lost(inc(0, 1, 1), inc(0, 1, 1), unknown(0), read(4, 5, 1)) == Bounds(min=1, max=2)
    assert lost(inc(0, 1, 1), unknown(0), unknown(0), read(4, 5, 2)) == Bounds(min=0, max=1)
    assert lost(inc(0, 1, 1), inc(2, 3, 2), read(4, 5, 2), read(6, 7, 1)) == Bounds(min=1, max=1)
    assert lost(inc(0, 4, 1), inc(0, 9, 1), read(5, 6, 1)) is None


def test_a_counter_that_was_not_read_widens_the_bounds() -> None:
    """On a key without a final read anything may be lost if its numbers are wrong, and nothing if they are right."""
    twice, final = [inc(0, 1, 1, key="a"), inc(0, 1, 1, key="a")], read(4, 5, 1, key="b")
    assert check(history(*twice, inc(0, 1, 1, key="b"), final)).lost == Bounds(min=0, max=2)
    assert check(history(twice[0], inc(2, 3, 2, key="a"), inc(0, 1, 1, key="b"), final)).lost == Bounds(min=0, max=0)
    assert check(history(twice[0], unknown(0, key="a"), inc(0, 1, 1, key="b"), final)).lost == Bounds(min=0, max=2)


def test_counts_what_is_wrong() -> None:
    """Duplicates are answers beyond one per number, gaps numbers that nobody was told."""
    verdict = check(history(inc(0, 1, 1), inc(0, 1, 1), inc(0, 1, 1), inc(2, 3, 4), inc(2, 3, 4)))
    assert (verdict.duplicates, verdict.gaps, verdict.inversions) == (3, 2, 0)


def plant_duplicate(given: History, row: int) -> History:
    return _told(given, row, int(given.result[row]) - 1 - 40 * (int(given.result[row]) > 50))


def plant_too_low(given: History, row: int) -> History:
    return _told(given, row, 0)


def plant_too_high(given: History, row: int) -> History:
    return _told(given, row, 20_000)


def plant_swap(given: History, row: int) -> History:
    """Two increments far apart get each other's number: no duplicate and no gap."""
    other = _increments(given)[np.argmax(given.start[_increments(given)])]
    return _told(_told(given, row, int(given.result[other])), int(other), int(given.result[row]))


def plant_effect_of_a_refused_one(given: History, row: int) -> History:
    status = given.status.copy()
    status[row] = FAIL
    return replace(given, status=status)


def plant_stale_final_read(given: History, row: int) -> History:
    return _told(given, len(given) - 2, int(given.result[row]) - 1)


def plant_stale_read(given: History, row: int) -> History:
    """The increment becomes a read, of a value that was long past."""
    other = int(np.argmin(np.abs(given.result - (given.result[row] - 200)) + 10**9 * ~given.is_op("read")))
    return _told(given, other, max(0, int(given.result[other]) - 50))


PLANTS = (
    plant_duplicate,
    plant_too_low,
    plant_too_high,
    plant_swap,
    plant_effect_of_a_refused_one,
    plant_stale_final_read,
    plant_stale_read,
)


def _increments(given: History) -> np.ndarray:
    return np.flatnonzero(given.is_op("increment") & given.has_result)


def _told(given: History, row: int, value: int) -> History:
    result = given.result.copy()
    result[row] = value
    return replace(given, result=result)


@pytest.fixture(scope="module", params=range(3))
def large(request: pytest.FixtureRequest) -> History:
    return valid_history(10_000, seed=request.param)


def test_a_real_counter_holds(large: History) -> None:
    """10,000 overlapping operations of a real counter, some without an answer, are accepted."""
    verdict = check(large)
    assert (verdict.verdict, verdict.duplicates, verdict.inversions) == ("held", 0, 0)
    assert np.count_nonzero(large.status == INFO) > 50


@pytest.mark.parametrize("plant", PLANTS)
def test_one_planted_defect_is_found(large: History, plant: Callable[[History, int], History]) -> None:
    """A single wrong answer among 10,000 is found, wherever it is planted."""
    rows = np.random.default_rng(7).choice(_increments(large)[300:-300], 12, replace=False)
    verdicts = [check(plant(large, int(row))) for row in rows]
    assert [verdict.verdict for verdict in verdicts] == ["violated"] * 12


def test_many_counters_are_checked_at_once() -> None:
    """200 keys in one history: exactly the spoiled one is found, by the same witness as alone."""
    small = valid_history(60).operations()
    keyed = [msgspec.structs.replace(o, key=f"k{k}") for k in range(200) for o in small]
    everything = History.from_operations(keyed)
    assert check(everything).verdict == "held"
    row = 117 * len(small) + int(_increments(History.from_operations(small))[20])
    spoiled = _told(everything, row, int(everything.result[row]) + 1)
    alone: CounterVerdict = check(spoiled.take(slice(117 * len(small), 118 * len(small))))
    verdict = check(spoiled)
    assert verdict.witness is not None
    assert alone.witness is not None
    assert verdict.witness.kind == alone.witness.kind == "duplicate"
    assert [r - 117 * len(small) for r in verdict.witness.rows] == list(alone.witness.rows)
