"""Ok operations in the order of their sessions, and the newest version that a session had met before each."""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.order import begins
from statelab.check.kernels.packing import arranged
from statelab.check.kernels.packing import dense
from statelab.check.kernels.packing import paired
from statelab.check.kernels.packing import spans
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

_NONE = int(np.iinfo(np.int64).min)


@dataclass(frozen=True, slots=True)
class Regress:
    """A pair of rows of which the later one should be newer: how many versions it goes back, within how many ns."""

    earlier: int
    later: int
    back: int
    span_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Sessions:
    """Ok operations sorted by (session, key, start): position p is row `row[p]`.

    `level` is the version, lifted above those of all sessions and keys before, so that one cumulative maximum serves
    all. `moment[p]` says whether p starts later than all before it in its session and key.
    """

    history: History
    row: Integers
    write: Mask
    level: Integers
    moment: Mask

    def newest(self, written: bool) -> Integers:
        """For each position, the highest level written (or read) at an earlier moment; below all levels if none is."""
        met = self._met(written)
        before, tied = met[:-1], np.flatnonzero(~self.moment)
        before[tied] = met[self._begin(tied)]
        return before

    def _met(self, written: bool) -> Integers:
        """Shape `(n + 1,)`: the highest level written (or read) by the first n positions."""
        met = np.full(len(self.level) + 1, _NONE)
        np.copyto(met[1:], self.level, where=self.write == written)
        return np.maximum.accumulate(met, out=met)

    def _begin(self, positions: Integers) -> Integers:
        """For each of the positions, the first one of its session and key that starts when it does."""
        moments = np.flatnonzero(self.moment)
        return moments[np.searchsorted(moments, positions, "right") - 1]

    def regresses(self, before: Integers, written: bool) -> Mask:
        """Which writes (or reads) are not newer than (are older than) what came `before`."""
        older: Mask = before >= self.level if written else before > self.level
        older &= self.write == written
        return older

    def furthest(self, before: Integers, wrong: Mask, written: bool) -> Regress:
        """Of the positions that are `wrong`, the one that goes back furthest, with the latest operation before it that
        wrote (or read) that newest version; among equals the pair in the shortest time."""
        positions = np.flatnonzero(wrong)
        back = spans(self.level[positions], before[positions])
        positions = positions[back == back.max()]
        earlier = self.row[self._latest_newest(positions, written)]
        later, (start, end) = self.row[positions], (self.history.start, self.history.end)
        span = spans(start[earlier], np.maximum(end[earlier], end[later]))
        best = int(np.argmin(span))
        return Regress(int(earlier[best]), int(later[best]), int(back.max()), int(span[best]))

    def _latest_newest(self, positions: Integers, written: bool) -> Integers:
        """For each of the positions, the last one before its moment that wrote (or read) the highest level so far."""
        records = np.flatnonzero((self.write == written) & (self.level == self._met(written)[1:]))
        return records[np.searchsorted(records, self._begin(positions)) - 1]


def sessions(history: History) -> Sessions:
    """The ok operations of a history in session order. O(n log n), one sort."""
    rows = np.flatnonzero(history.status == OK)
    part = history.process[rows].astype(np.int64) * max(1, len(history.keys)) + history.key[rows]
    order = arranged(part, history.start[rows])
    rows, part = rows[order], part[order]
    new = begins(part)
    level = paired(np.cumsum(new) - 1, _versions(history, rows))
    new |= begins(history.start[rows])
    return Sessions(history, rows, history.is_op("write")[rows], level, new)


def version(history: History, row: int) -> int | None:
    """The version that a row read or wrote; None: nothing yet."""
    if history.has_result[row]:
        return int(history.result[row])
    known = history.value is not None and history.has_value is not None and history.has_value[row]
    return int(history.value[row]) if known and history.value is not None else None


def _versions(history: History, rows: Integers) -> Integers:
    """The versions that the rows read or wrote; nothing is one below the lowest."""
    known, number = history.has_result[rows], history.result[rows]
    if history.value is not None and history.has_value is not None:
        own = ~known & history.has_value[rows]
        number, known = np.where(own, history.value[rows], number), known | own
    if known.all():
        return number
    least = int(number[known].min(initial=0))
    return np.where(known, number, least - 1) if least > _NONE + 1 else np.where(known, dense(number) + 1, 0)
