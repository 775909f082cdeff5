"""Every key of a key-value history decided: by the order that its texts force, or else by search.

All keys whose order the texts force are decided side by side: LEMMA ORDER within the blocks, LEMMA ZONES between them.
"""

from array import array
from dataclasses import dataclass, field

import numpy as np

from statelab.check.kernels import order
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.packing import paired
from statelab.check.kernels.zones import conflicts
from statelab.check.models.key_value.order import Forced, forced
from statelab.check.models.key_value.search import MOST, search
from statelab.check.models.key_value.texts import Calls, by_key
from statelab.record.columns import INF, History, Integers


class Blocks:
    """The calls of many keys by block and rank, gathered key by key: in arrays, as lists take 40 bytes a number."""

    def __init__(self) -> None:
        self._row, self._block, self._rank = array("q"), array("q"), array("q")
        self._sizes = array("q")

    def add(self, calls: Calls, forced: Forced) -> None:
        self._row.extend(calls.row)
        self._block.extend(forced.block)
        self._rank.extend(forced.rank)
        self._sizes.append(len(calls))

    def laid(self, history: History) -> "Laid":
        """All of them as arrays, sorted by block and rank. O(n log n)."""
        gathered = (self._row, self._block, self._rank, self._sizes)
        row, block, rank, sizes = (np.array(column, np.int64) for column in gathered)
        before = np.cumsum(sizes + 1) - sizes - 1  # a key has a block for each call and one for the initial text
        known = np.flatnonzero(block >= 0)
        row, block, rank = row[known], (block + np.repeat(before, sizes))[known], rank[known]
        by_rank = np.argsort(paired(block, rank), kind="stable")
        return Laid(
            row=row[by_rank],
            block=block[by_rank],
            rank=rank[by_rank],
            key=history.key[row[by_rank]].astype(np.int64),
            initial=before + sizes,
            history=history,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """Calls sorted by block and rank, arrays of shape `(calls,)`; `initial` are the blocks of initial texts."""

    row: Integers
    block: Integers
    rank: Integers
    key: Integers
    initial: Integers
    history: History

    def inversions(self) -> tuple[Integers, tuple[int, ...]]:
        """The keys in which a block's order and the clock disagree, and the rows of the worst case."""
        if not len(self.row):
            return self.key, ()
        start, end = _apart(self.block, *self._times())
        code = paired(self.block, self.rank)
        slacks = order.slack(code, start, end)
        if not slacks.any():
            return self.key[:0], ()
        pair = order.worst(code, start, end, slacks)
        return self.key[slacks > 0], self._with_witness([pair.earlier, pair.later])

    def overlaps(self) -> tuple[Integers, tuple[int, ...]]:
        """The keys in which two blocks must each precede the other, and the rows of the case that takes the fewest."""
        if not len(self.row):
            return self.key, ()
        start, end = self._times()
        first = np.flatnonzero(order.begins(self.block))
        first_end, last_start = np.minimum.reduceat(end, first), np.maximum.reduceat(start, first)
        initial = np.isin(self.block[first], self.initial)
        of_key = np.flatnonzero(order.begins(self.key))  # the initial text is there before everything of its key
        low = np.repeat(np.minimum.reduceat(start, of_key), np.diff(np.append(of_key, len(self.key))))
        first_end[initial] = low[first[initial]] - 1
        found = conflicts(first_end, last_start)
        if not len(found):
            return self.key[:0], ()
        size = np.where(np.diff(np.append(first, len(self.row))) > 1, 3, 1) - initial
        best = int(np.lexsort((-found.slack_ns, size[found.one] + size[found.other]))[0])
        one, other = int(found.one[best]), int(found.other[best])
        places = [*self._ends(first[one], start, end), *self._ends(first[other], start, end)]
        return self.key[first[found.one]], self._with_witness(places)

    def _times(self) -> tuple[Integers, Integers]:
        """Start and end of each call, on an axis on which keys do not touch."""
        return _apart(self.key, self.history.start[self.row], self.history.end[self.row])

    def _ends(self, first: int, start: Integers, end: Integers) -> list[int]:
        """In the block that begins there, the first to end and the last to start."""
        last = int(np.searchsorted(self.block, self.block[first], "right"))
        return [first + int(np.argmin(end[first:last])), first + int(np.argmax(start[first:last]))]

    def _with_witness(self, places: list[int]) -> tuple[int, ...]:
        """The rows at some places, with those of the gets that show the longest texts of their blocks."""
        shown = [int(np.searchsorted(self.block, self.block[place], "right")) - 1 for place in places]
        return tuple(sorted({int(self.row[place]) for place in places + shown}))


def _apart(group: Integers, start: Integers, end: Integers) -> tuple[Integers, Integers]:
    """The same times on an axis on which groups, each a run of equal numbers, do not touch; an open end stays so."""
    begins = order.begins(group)
    offset = order.lift(np.flatnonzero(begins), start, end)[np.cumsum(begins) - 1]
    return start + offset, np.where(end == INF, INF, end + offset)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is wrong, in rows of the history.

    `alone` are (kind, get, slack), `forks` pairs of gets, `contradictions` the rows of the worst case of each of the
    two lemmas; `searched` are keys of which only the search could tell that they are violated: (key, number of its
    calls); `undecided` are (key, why). `keys` are all that are violated.
    """

    alone: list[tuple[str, int, int | None]] = field(default_factory=list)
    forks: list[tuple[int, int]] = field(default_factory=list)
    contradictions: list[tuple[int, ...]] = field(default_factory=list)
    searched: list[tuple[int, int]] = field(default_factory=list)
    undecided: list[tuple[int, str]] = field(default_factory=list)
    keys: set[int] = field(default_factory=set)


def judge(history: History, initial: str, deadline: Deadline, most: int = MOST) -> Judged:
    """Decides every key. `keys` are those that are violated; none that is undecided is among them."""
    judged, blocks = Judged(), Blocks()
    for key, calls in by_key(history, initial):
        found = forced(calls, initial)
        if found is None:
            outcome = search(calls, initial, deadline, most)
            if outcome.verdict == "unknown":
                judged.undecided.append((key, outcome.why))
            elif outcome.verdict == "violated":
                judged.keys.add(key)
                judged.searched.append((key, len(calls)))
        elif found.alone or found.forks:
            judged.keys.add(key)
            judged.alone.extend((kind, calls.row[get], slack) for kind, get, slack in found.alone)
            judged.forks.extend((calls.row[one], calls.row[other]) for one, other in found.forks)
        else:
            blocks.add(calls, found)
    laid = blocks.laid(history)
    for keys, rows in (laid.inversions(), laid.overlaps()):
        judged.keys.update(keys.tolist())
        if rows:
            judged.contradictions.append(rows)
    return judged
