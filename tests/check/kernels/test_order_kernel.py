"""LEMMA ORDER: the kernel against its definition, pair by pair."""

import random

import numpy as np
import pytest

from statelab.check.kernels import order
from statelab.record.columns import INF


def every_pair(rank: list[int], start: list[int], end: list[int]) -> list[tuple[int, int, int]]:
    """The definition: (-slack, span, ...) of all pairs with rank_a < rank_b and end_b < start_a."""
    n = range(len(rank))
    pairs = [(a, b) for a in n for b in n if rank[a] < rank[b] and end[b] < start[a]]
    return sorted((-(start[a] - end[b]), end[a] - start[b], 0) for a, b in pairs)


def test_touching_intervals_are_concurrent() -> None:
    """[1, 5] and [5, 9] may take effect in either order."""
    assert order.check(np.array([2, 1]), np.array([1, 5]), np.array([5, 9])) is None


def test_an_operation_that_ended_before_a_lower_one_started() -> None:
    """[1, 5] of rank 2 and [6, 9] of rank 1 contradict each other by 1 ns."""
    assert order.check(np.array([2, 1]), np.array([1, 6]), np.array([5, 9])) == order.Inversion(1, 0, 1)


def test_equal_ranks_are_free() -> None:
    """Two reads of one value may come in any order."""
    assert order.check(np.array([3, 3]), np.array([1, 60]), np.array([5, 90])) is None


def test_an_open_end_contradicts_nothing() -> None:
    """An operation whose end is unknown may come last."""
    assert order.check(np.array([2, 1]), np.array([1, 60]), np.array([INF, 90])) is None


def test_nothing_to_order() -> None:
    """No operation is no contradiction."""
    empty = np.zeros(0, np.int64)
    assert order.check(empty, empty, empty) is None


@pytest.mark.parametrize("seed", range(5))
def test_the_worst_pair_is_that_of_the_definition(seed: int) -> None:
    """On random operations the kernel finds a contradiction iff some pair is one, and the pair with the largest slack,
    then the shortest span."""
    rng, contradicted = random.Random(seed), 0
    for _ in range(1000):
        n = rng.randint(1, 8)
        rank = [rng.randint(0, 5) for _ in range(n)]
        start = [rng.randint(0, 12) for _ in range(n)]
        end = [s + rng.randint(0, 6) for s in start]
        found = order.check(np.array(rank), np.array(start), np.array(end))
        pairs = every_pair(rank, start, end)
        assert (found is None) == (not pairs)
        if found:
            contradicted += 1
            a, b = found.earlier, found.later
            assert rank[a] < rank[b]
            assert found.slack_ns == start[a] - end[b]
            assert pairs[0][:2] == (-found.slack_ns, end[a] - start[b])
    assert 200 < contradicted < 900


def test_counters_side_by_side_do_not_see_each_other() -> None:
    """On the lifted axis every segment comes after the one before, and keeps its own differences."""
    start, end = np.array([50, 60, 10, 12]), np.array([55, INF, 11, 20])
    offset = order.lift(np.array([0, 2]), start, end)
    lifted = start + np.repeat(offset, 2)
    assert lifted[1] < lifted[2]
    assert lifted[3] - lifted[2] == 2


def test_an_axis_too_long_is_refused() -> None:
    """Spans that do not fit 64 bits raise an error instead of wrapping around to a wrong verdict."""
    start = np.array([0, 0, 0])
    with pytest.raises(OverflowError, match="64-bit"):
        order.lift(np.array([0, 1, 2]), start, start + 2**61)
