"""Pairs of operations: the closest two that have something in common, and who preceded whom, in words."""

from itertools import combinations

import numpy as np

from statelab.check.kernels.packing import arranged, spans
from statelab.check.kernels.words import Cast
from statelab.record.columns import History, Integers


def closest(group: Integers, start: Integers, end: Integers) -> tuple[int, int]:
    """The pair of one group that fits into the shortest time, as positions, the earlier start first. O(n log n).

    Groups are numbers from 0 on, and at least one of them has two members. Each operation is paired with the one that
    ends first among those of its group that start no earlier: a cumulative minimum from the back.
    """
    by_end = np.argsort(end, kind="stable")
    place = np.empty(len(end), np.int64)
    place[by_end] = np.arange(len(end))
    rows = arranged(group, start)
    ranked = group[rows] * len(end) + place[rows]
    soonest = np.minimum.accumulate(ranked[::-1])[::-1][1:]
    first = np.flatnonzero(soonest // len(end) == group[rows[:-1]])
    one, other = rows[first], by_end[soonest[first] % len(end)]
    best = int(np.argmin(spans(start[one], np.maximum(end[one], end[other]))))
    return int(one[best]), int(other[best])


def apart(history: History, cast: Cast, first: int, second: int) -> str:
    """`A had ended 1.000 ms before B started`, or that the two overlapped; `first` started no later."""
    one, other = cast.name(first), cast.name(second)
    if cast.overlap(first, second):
        return f"{one} and {other} overlapped"
    distance = int(history.start[second]) - int(history.end[first])
    return f"{one} had ended {cast.span(distance)} before {other} started"


def precedences(history: History, cast: Cast) -> str:
    """`A had ended 1.000 ms before B started.` for neighbours in time; others follow from these."""
    start, end = history.start, history.end
    pairs = [(a, b) for a, b in combinations(cast.rows, 2) if end[a] < start[b]]
    direct = [(a, b) for a, b in pairs if not any((a, c) in pairs and (c, b) in pairs for c in cast.rows)]
    return " ".join(f"{apart(history, cast, a, b)}." for a, b in direct) if direct else "They all overlap."
