"""What the reads of blind counters say: how many increments must come before each operation, and how many can."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statelab.checkers.packing import paired
from statelab.columns import INF
from statelab.columns import INFO
from statelab.columns import OK
from statelab.columns import Codes
from statelab.columns import History
from statelab.columns import Integers

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Counters:
    """The counters side by side, one per code of a key, shape `(keys,)`.

    Their values are renumbered so that no two counters share a number: counter c starts at `base[c]`, and `top[c]` is
    more than it can ever show. `asked` increments of counters before c may have taken effect.
    """

    base: Integers
    top: Integers
    asked: Integers

    def number_of(self, value: Integers) -> Places:
        """The counter that each renumbered value belongs to."""
        return np.searchsorted(self.base - 1, value, "right") - 1


@dataclass(frozen=True, slots=True, eq=False)
class Reads:
    """The answered reads, shape `(reads,)`: `row` of the history, renumbered `value`, times on one axis for all keys.

    `by_end` and `by_start` are the orders in which they end and start, `ends` and `starts` the times in these orders,
    `highest[i]` the highest value among the first i to end and `lowest[i]` the lowest among those from the i-th to
    start on (both have one element more).
    """

    row: Places
    key: Codes
    value: Integers
    start: Integers
    end: Integers
    by_end: Places
    by_start: Places
    ends: Integers
    starts: Integers
    highest: Integers
    lowest: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The answered increments by (key, start), shape `(increments,)`: `row`, times on the axis, and their places.

    An increment must be at least the `low`-th value of its counter and at most the `high`-th (its counter's `top`: no
    read says). `begun` are the starts of all increments that may have taken effect, sorted, and `begun_row` their rows.
    For each read, `shown` is the highest value known before it started, and `asked` how many increments had been asked
    for when it ended.
    """

    history: History
    initial: int
    counters: Counters
    reads: Reads
    row: Places
    start: Integers
    end: Integers
    low: Integers
    high: Integers
    begun: Integers
    begun_row: Places
    shown: Integers
    asked: Integers


def limits(history: History, initial: int) -> Limits:
    """Renumbers, sorts and looks up; O(n log n)."""
    increment, ok = history.is_op("increment"), history.status == OK
    start, end = _one_axis(history)
    begun_row = np.flatnonzero(increment & (ok | (history.status == INFO)))
    begun_row, begun = _sorted_by(start, begun_row)
    counters = _counters(history, begun_row)
    reads = _reads(history, initial, counters, start, end)
    row = begun_row[ok[begun_row]]
    low, high = _places(counters, reads, history.key[row], start[row], end[row])
    return Limits(
        history=history,
        initial=initial,
        counters=counters,
        reads=reads,
        row=row,
        start=start[row],
        end=end[row],
        low=low,
        high=high,
        begun=begun,
        begun_row=begun_row,
        shown=_highest_before(counters, reads, reads.key, reads.start),
        asked=np.searchsorted(begun, reads.end, "right") - of_key(counters.asked, reads.key),
    )


def _one_axis(history: History) -> tuple[Integers, Integers]:
    """Starts and ends such that all times of a key lie before those of the next; an open end means nothing."""
    if not history.key.any():
        return history.start, history.end
    n = len(history)
    end = np.where(history.end == INF, history.start, history.end)
    both = paired(np.concatenate((history.key, history.key)), np.concatenate((history.start, end)))
    return both[:n], both[n:]


def _sorted_by(time: Integers, rows: Places) -> tuple[Places, Integers]:
    times = time[rows]
    if (times[1:] >= times[:-1]).all():
        return rows, times
    order = np.argsort(times, kind="stable")
    return rows[order], times[order]


def _counters(history: History, begun_row: Places) -> Counters:
    asked = np.bincount(history.key[begun_row], minlength=max(1, len(history.keys)))
    width = asked + 4
    base = np.cumsum(width) - width + 1
    return Counters(base, base + asked + 2, np.cumsum(asked) - asked)


def of_key(table: Integers, key: Codes) -> Integers:
    """What the table says of each key; one number for all where there is one key."""
    return table if len(table) == 1 else table[key]


def _reads(history: History, initial: int, counters: Counters, start: Integers, end: Integers) -> Reads:
    row = np.flatnonzero(history.is_op("read") & (history.status == OK))
    key = history.key[row]
    base, top = of_key(counters.base, key), of_key(counters.top, key)
    told = np.where(history.has_result[row], history.result[row], initial)
    value = base + _risen(told, initial, top - base - 1)
    place = np.arange(len(row))
    by_end, ends = _sorted_by(end[row], place)
    by_start, starts = _sorted_by(start[row], place)
    return Reads(
        row=row,
        key=key,
        value=value,
        start=start[row],
        end=end[row],
        by_end=by_end,
        by_start=by_start,
        ends=ends,
        starts=starts,
        highest=np.concatenate(([0], np.maximum.accumulate(value[by_end]))),
        lowest=np.concatenate((np.minimum.accumulate(value[by_start][::-1])[::-1], [INF])),
    )


def _risen(told: Integers, initial: int, most: Integers) -> Integers:
    """How far above the initial value, at least -1 and at most `most`; exact for any integers of 64 bits."""
    room = np.minimum(most, min(INF, INF - initial))
    return np.clip(told, max(initial - 1, -INF), initial + room) - initial


def _highest_before(counters: Counters, reads: Reads, key: Codes, start: Integers) -> Integers:
    """The highest value of its counter that a read which ended before each of these starts had shown."""
    known = reads.highest[np.searchsorted(reads.ends, start, "left")]
    return np.maximum(known, of_key(counters.base, key), out=known)


def _places(counters: Counters, reads: Reads, key: Codes, start: Integers, end: Integers) -> tuple[Integers, Integers]:
    """`low` and `high` of increments: above all that was read before they started, and counted in all that is read
    after they had ended."""
    low = _highest_before(counters, reads, key, start)
    low += 1
    high = reads.lowest[np.searchsorted(reads.starts, end, "right")]
    return low, np.minimum(high, of_key(counters.top, key), out=high)
