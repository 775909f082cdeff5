"""Convex bipartite matching: jobs that need one place each, every one somewhere in an interval of places.

Places are integers, and job j may have any of `low[j]`..`high[j]`. Earliest deadline first: the places are filled in
ascending order, each by the waiting job with the smallest `high`; a job whose `high` has gone by is left over. This
leaves over as few as any assignment can (Glover 1967, "Maximum Matching in a Convex Bipartite Graph", Naval Research
Logistics Quarterly 14). If a job is left over, then by Hall's theorem there are places a..b, b its `high`, to which
more than b - a + 1 jobs are confined.

Cost: O(n log w) for n jobs of which at most w wait at once, one push and one pop of a heap for each; O(n) without a
loop where first come, first served already gives everyone a place.
"""

from heapq import heappop, heappush

import numpy as np

from statelab.record.columns import Integers

_CHUNK = 1 << 16


def left_over(low: Integers, high: Integers) -> Integers:
    """The `high` of each job that gets no place, ascending; `low` must be sorted. Shapes (n,), (n,) -> (left over,)."""
    if not len(low) or (first_come(low) <= high).all():
        return np.zeros(0, np.int64)
    return np.sort(np.array(earliest_deadline_first(low, high), np.int64))


def first_come(low: Integers) -> Integers:
    """The places if jobs are served as they come: the first free one, each in its turn."""
    turn = np.arange(len(low))
    place = low - turn
    np.maximum.accumulate(place, out=place)
    place += turn
    return place


def earliest_deadline_first(low: Integers, high: Integers) -> list[int]:
    """The `high` of each job left over, in the order in which they are given up."""
    waiting: list[int] = []
    late: list[int] = []
    place = int(low[0])
    for first in range(0, len(low), _CHUNK):  # as Python integers 10^7 jobs would take a gigabyte
        chunk = slice(first, first + _CHUNK)
        for earliest, latest in zip(low[chunk].tolist(), high[chunk].tolist(), strict=True):
            while place < earliest and waiting:
                deadline = heappop(waiting)
                if deadline < place:
                    late.append(deadline)
                else:
                    place += 1
            if place < earliest:
                place = earliest
            heappush(waiting, latest)
    for deadline in sorted(waiting):
        if deadline < place:
            late.append(deadline)
        else:
            place += 1
    return late
