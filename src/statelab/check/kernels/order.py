"""The kernel that the checkers share: LEMMA ORDER, and many histories side by side on one time axis.

LEMMA ORDER. If the results alone force a preorder `rank` on the operations (equal ranks are free), the history is
linearizable iff no operation started after one of higher rank had ended: there is no pair with rank_a < rank_b and
end_b < start_a. Proof: without such a pair, real-time precedence and rank never disagree, and their union has no cycle,
since in a cycle some precedence would lead down in rank. (The lemma is the total-order case of Herlihy & Wing 1990,
"Linearizability", section 3; equal stamps count as concurrent.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import INF, Codes, Integers, Mask

_LONGEST = 2**62


@dataclass(frozen=True, slots=True)
class Inversion:
    """The pair that contradicts the order most: `later` ended `slack_ns` before `earlier`, of lower rank, started."""

    earlier: int
    later: int
    slack_ns: int


def begins(sorted_codes: Integers | Codes) -> Mask:
    """Where a new code begins in an array sorted by it."""
    first = np.ones(len(sorted_codes), np.bool_)
    np.not_equal(sorted_codes[1:], sorted_codes[:-1], out=first[1:])
    return first


def lift(first: NDArray[np.intp], start: Integers, end: Integers) -> Integers:
    """For each segment (`first[i]` is where it begins), what to add to its times to put it after all before it.

    On the lifted axis one cumulative maximum serves all segments, and differences inside a segment stay true.
    """
    if len(first) <= 1:
        return np.zeros(len(first), np.int64)
    low = np.minimum.reduceat(start, first)
    high = np.maximum.reduceat(np.where(end == INF, start, np.maximum(start, end)), first)
    width = high - low + 1
    if float(width.sum(dtype=np.float64)) >= _LONGEST:
        raise OverflowError("the counters' spans add up to more than 64-bit nanoseconds can tell apart")
    base: Integers = np.cumsum(width) - width
    return base - low


def slack(rank: Integers, start: Integers, end: Integers) -> Integers:
    """By how many ns each operation ended before the latest start among lower ranks; 0 where it did not.

    The arrays are sorted by rank. The lemma holds iff the result is 0 everywhere. O(n).
    """
    found = np.zeros(len(rank), np.int64)
    latest = np.maximum.accumulate(start)
    late = np.flatnonzero(latest[:-1] > end[1:]) + 1  # so early, though the latest start may be one of its own rank
    new = np.flatnonzero(begins(rank)) if len(late) else late
    before = new[np.searchsorted(new, late, "right") - 1] - 1
    late, before = late[before >= 0], before[before >= 0]
    lower = latest[before]
    late, lower = late[lower > end[late]], lower[lower > end[late]]
    found[late] = lower - end[late]
    return found


def worst(rank: Integers, start: Integers, end: Integers, slacks: Integers) -> Inversion:
    """The pair with the largest slack and, among those, the shortest span; positions in the sorted arrays."""
    later = np.flatnonzero(slacks == slacks.max())
    suspects = np.flatnonzero(np.isin(start, end[later] + slacks[later]))
    by_lateness = np.lexsort((-end[suspects], start[suspects]))
    place = np.empty(len(suspects), np.int64)
    place[by_lateness] = np.arange(len(suspects))
    group = np.maximum.accumulate(np.where(begins(rank), np.arange(len(rank)), 0))  # where its equal ranks begin
    upto = np.searchsorted(suspects, group[later]) - 1
    earlier = suspects[by_lateness[np.maximum.accumulate(place)[upto]]]
    best = int(np.argmin(end[earlier] - start[later]))
    return Inversion(int(earlier[best]), int(later[best]), int(slacks[later[best]]))


def check(rank: Integers, start: Integers, end: Integers) -> Inversion | None:
    """LEMMA ORDER on arrays in any order: the worst pair as positions in them, or None if there is none. O(n log n)."""
    order = np.argsort(rank, kind="stable")
    rank, start, end = rank[order], start[order], end[order]
    slacks = slack(rank, start, end)
    if not slacks.any():
        return None
    pair = worst(rank, start, end, slacks)
    return Inversion(int(order[pair.earlier]), int(order[pair.later]), pair.slack_ns)
