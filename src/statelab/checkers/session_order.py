"""Ok operations in the order of their sessions, and the newest version that a session had met before each."""

from dataclasses import dataclass

import numpy as np

from statelab.checkers.order import begins
from statelab.checkers.packing import arranged
from statelab.checkers.packing import dense
from statelab.checkers.packing import paired
from statelab.checkers.packing import spans
from statelab.columns import OK
from statelab.columns import History
from statelab.columns import Integers
from statelab.columns import Mask

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
    all. `moment[p]` is the first position of the same session and key that starts when p does.
    """

    history: History
    row: Integers
    write: Mask
    level: Integers
    moment: Integers

    def newest(self, written: bool) -> Integers:
        """For each position, the highest level written (or read) at an earlier moment; below all levels if none is."""
        met = np.where(self.write == written, self.level, _NONE)
        np.maximum.accumulate(met, out=met)
        return np.concatenate(([_NONE], met))[self.moment]

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
        earlier = self.row[self._holders(written)[self.moment[positions] - 1]]
        later, (start, end) = self.row[positions], (self.history.start, self.history.end)
        span = spans(start[earlier], np.maximum(end[earlier], end[later]))
        best = int(np.argmin(span))
        return Regress(int(earlier[best]), int(later[best]), int(back.max()), int(span[best]))

    def _holders(self, written: bool) -> Integers:
        """For each position, the last one up to it that wrote (or read) the highest level written (or read) so far."""
        met = np.where(self.write == written, self.level, _NONE)
        record = met == np.maximum.accumulate(met)
        return np.maximum.accumulate(np.where(record & (self.write == written), np.arange(len(met)), 0))


def sessions(history: History) -> Sessions:
    """The ok operations of a history in session order. O(n log n), one sort."""
    rows = np.flatnonzero(history.status == OK)
    part = history.process[rows].astype(np.int64) * max(1, len(history.keys)) + history.key[rows]
    order = arranged(part, history.start[rows])
    rows, part = rows[order], part[order]
    new = begins(part)
    level = paired(np.cumsum(new) - 1, _versions(history, rows))
    new |= begins(history.start[rows])
    moment = np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0))
    return Sessions(history, rows, history.is_op("write")[rows], level, moment)


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
