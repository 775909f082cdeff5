"""The kernel of blocks: operations that must lie together in any order, such as all that concern one value or one hold.

Of each block only two times count: `first_end`, when its first operation ended, and `last_start`, when its last one
started. Block A must precede block B iff an operation of A ended before one of B started, that is first_end(A) <
last_start(B).

LEMMA ZONES (after Gibbons & Korach 1997, "Testing Shared Memories", section 4, and Golab, Li & Shah 2011, "Analyzing
Consistency Properties for Fun and Profit"). Blocks can be laid one after the other as real time demands iff no two of
them must each precede the other. Proof: otherwise take a cycle of blocks that must each precede the next. Let X be the
one with the least first_end, Y the one before X and Z the one before Y. Then first_end(X) <= first_end(Z) <
last_start(Y), so X must precede Y, as Y must precede X.

Two blocks contradict each other iff their zones do: [first_end, last_start] is a block's forward zone if first_end <
last_start, else [last_start, first_end] is its backward one. Two forward zones must not overlap, and no backward zone
may lie strictly inside a forward one. O(n log n), one sort.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import INF, Integers


@dataclass(frozen=True, slots=True, eq=False)
class Conflicts:
    """Pairs of blocks that must each precede the other, shape `(c,)`; every block that contradicts another is in one.

    One that is in conflict with a forward zone before it is `other`. A forward zone without such, in conflict with what
    comes after it, is `one`: up to the first of these no zone reaches further than it does. `slack_ns` is by how much
    the clocks must be wrong for the pair to vanish.
    """

    one: NDArray[np.intp]
    other: NDArray[np.intp]
    slack_ns: Integers

    def __len__(self) -> int:
        return len(self.one)


def conflicts(first_end: Integers, last_start: Integers) -> Conflicts:
    """Blocks of one object that contradict each other; empty iff they can be laid one after the other.

    Blocks of several objects may be given at once if their times do not touch (see `order.lift`).
    """
    forward, backward = np.flatnonzero(first_end < last_start), np.flatnonzero(first_end >= last_start)
    forward = forward[np.argsort(first_end[forward], kind="stable")]
    begin, reach = first_end[forward], last_start[forward]
    np.maximum.accumulate(reach, out=reach)
    overlapping = np.flatnonzero(begin[1:] < reach[:-1]) + 1
    begun = np.searchsorted(begin, last_start[backward], "left")  # so many forward zones, which reach so far
    inside = np.flatnonzero(np.concatenate(([-INF - 1], reach))[begun] > first_end[backward])
    before = np.concatenate((overlapping, begun[inside])) - 1
    one = forward[np.searchsorted(reach, reach[before])]  # the first one that reaches so far
    other = np.concatenate((forward[overlapping], backward[inside]))
    slack: Integers = np.minimum(last_start[other] - first_end[one], last_start[one] - first_end[other])
    return Conflicts(one, other, slack)


def laid_out(first_end: Integers, last_start: Integers) -> NDArray[np.intp]:
    """An order of blocks without conflicts that real time allows.

    A forward zone stands where it begins, a backward one as early as it can: where it begins, or at the end of the
    forward zone in which it begins.
    """
    forward = np.flatnonzero(first_end < last_start)
    forward = forward[np.argsort(first_end[forward], kind="stable")]
    place = np.minimum(first_end, last_start)
    backward = np.flatnonzero(first_end >= last_start)
    begun = np.searchsorted(first_end[forward], last_start[backward], "left") - 1
    inside = begun >= 0
    place[backward[inside]] = np.maximum(place[backward[inside]], last_start[forward[begun[inside]]])
    return np.lexsort((first_end < last_start, place))
