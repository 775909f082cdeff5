"""Sorting by packed pairs: the same as sorting by both keys, also where the pair does not fit into 64 bits."""

import numpy as np
import pytest

from statelab.check.kernels.packing import arranged, dense, differences, paired, spans
from statelab.check.kernels.pairs import closest

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
VALUES = {"few": (-2, 3), "narrow": (-50, 50), "any": (LEAST, MOST), "high": (MOST - 50, MOST)}
GROUPS = {"one": 1, "few": 3, "many": 2**40}


def draw(rng: np.random.Generator, n: int, values: str, groups: str) -> tuple[np.ndarray, np.ndarray]:
    group = rng.integers(0, GROUPS[groups], n)
    return np.where(rng.random(n) < 0.5, group[::-1], group), rng.integers(*VALUES[values], n, endpoint=True)


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("groups", GROUPS)
def test_pairs_sort_as_both(values: str, groups: str) -> None:
    """`paired` orders and equates as the pair does; `arranged` is stable `lexsort`; `dense` keeps the order."""
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 50, 50, 50):
        group, value = draw(rng, n, values, groups)
        both = list(zip(group.tolist(), value.tolist(), strict=True))
        place = {pair: i for i, pair in enumerate(sorted(set(both)))}
        assert dense(paired(group, value)).tolist() == [place[pair] for pair in both]
        assert arranged(group, value).tolist() == np.lexsort((np.arange(n), value, group)).tolist()
        assert arranged(group, np.sort(value)).tolist() == np.argsort(group, kind="stable").tolist()


def test_nothing_to_sort() -> None:
    """Empty columns are no special case."""
    empty = np.zeros(0, np.int64)
    assert [len(f) for f in (dense(empty), paired(empty, empty), arranged(empty, empty))] == [0, 0, 0]


def test_spans_do_not_overflow() -> None:
    """The longest interval that two stamps can make is longer than an int64."""
    assert spans(np.array([LEAST, 3]), np.array([MOST, 5])).tolist() == [2**64 - 1, 2]


def test_differences_stop_at_the_ends() -> None:
    """Of any two numbers, as far as 64 bits reach."""
    ends = np.array([LEAST, -1, 0, 1, MOST])
    one, other = (part.ravel() for part in np.meshgrid(ends, ends))
    exact = [max(LEAST, min(MOST, int(a) - int(b))) for a, b in zip(one, other, strict=True)]
    assert differences(one, other).tolist() == exact
    assert differences(ends, ends[0]).tolist() == [0, MOST, MOST, MOST, MOST]
    assert differences(ends[4], ends).tolist() == [MOST, MOST, MOST, MOST - 1, 0]


def test_the_closest_pair() -> None:
    """Of all pairs within a group, `closest` finds one in the shortest time, the earlier start first."""
    rng = np.random.default_rng(2)
    for _ in range(2000):
        n = int(rng.integers(2, 9))
        group, start = rng.integers(0, 3, n), rng.integers(-9, 9, n)
        end = start + rng.integers(0, 9, n)
        pairs = [(i, j) for i in range(n) for j in range(n) if i != j and group[i] == group[j] and start[i] <= start[j]]
        if pairs:
            found = closest(group, start, end)
            assert found in pairs
            assert span(found, start, end) == min(span(pair, start, end) for pair in pairs)


def span(pair: tuple[int, int], start: np.ndarray, end: np.ndarray) -> int:
    return int(end[list(pair)].max() - start[list(pair)].min())
