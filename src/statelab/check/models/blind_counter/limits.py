"""What the reads of blind counters say: how many increments must come before each operation, and how many can."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import INF, INFO, OK, Codes, History, Integers

Places = NDArray[np.intp]

_LARGEST = 2**62


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
    """The answered reads, shape `(reads,)`: `row` of the history, renumbered `value`, times on the common axis.

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
    """What is known of increments and reads. `start` and `end` are those of the history's rows on the common axis.

    `begun` are the rows of all increments that may have taken effect, sorted by start, `row` the acknowledged ones
    among them: such an increment makes at least the `low`-th value of its counter and at most the `high`-th (its
    counter's `top` where no read says). Per read, `shown` is the highest value known before it started, and `asked`
    how many increments had been asked for when it ended.
    """

    history: History
    initial: int
    start: Integers
    end: Integers
    counters: Counters
    reads: Reads
    begun: Places
    row: Places
    low: Integers
    high: Integers
    shown: Integers
    asked: Integers


def limits(history: History, initial: int) -> Limits:
    """The limits of a history of counters that start at `initial`. O(n log n)."""
    increment, ok = history.is_op("increment"), history.status == OK
    start, end = _one_axis(history)
    begun, begins = _sorted_by(start, np.flatnonzero(increment & (ok | (history.status == INFO))))
    increments = np.bincount(history.key[begun], minlength=max(1, len(history.keys)))
    base = np.cumsum(increments + 4) - (increments + 4) + 1
    counters = Counters(base, base + increments + 2, np.cumsum(increments) - increments)
    reads = _reads(history, initial, counters, start, end)
    asked = np.searchsorted(begins, reads.end, "right") - of_key(counters.asked, reads.key)
    row = begun[ok[begun]]
    key = history.key[row]
    return Limits(
        history=history,
        initial=initial,
        start=start,
        end=end,
        counters=counters,
        reads=reads,
        begun=begun,
        row=row,
        low=_highest_before(counters, reads, key, start[row]) + 1,
        high=_lowest_after(counters, reads, key, end[row]),
        shown=_highest_before(counters, reads, reads.key, reads.start),
        asked=asked,
    )


def _one_axis(history: History) -> tuple[Integers, Integers]:
    """Starts and ends such that all times of a key lie before those of the next; not to be used where the end is open.

    Differences of times of one key are kept. Where all keys side by side do not fit into 64 bits, only their order is.
    """
    start, closed = history.start, history.end != INF
    least = int(start.min(initial=INF))
    width = max(int(start.max(initial=least)), int(history.end.max(where=closed, initial=least))) - least + 1
    if not history.key.any() and width < _LARGEST:
        return start, history.end
    end = np.where(closed, history.end, start)
    if len(history.keys) * width >= _LARGEST:
        times = np.unique(np.concatenate((start, end)), return_inverse=True)[1].astype(np.int64)
        start, end = times[: len(start)], times[len(start) :]
        least, width = 0, int(end.max()) + 1
    shift = history.key * np.int64(width) - np.int64(least)
    return start + shift, end + shift


def _sorted_by(time: Integers, rows: Places) -> tuple[Places, Integers]:
    """The rows in the order of their times, and these times; no sort where they are in order."""
    times = time[rows]
    if (times[1:] >= times[:-1]).all():
        return rows, times
    order = np.argsort(times, kind="stable")
    return rows[order], times[order]


def of_key(table: Integers, key: Codes) -> Integers:
    """What the table says of each key; one number for all where there is one key."""
    return table if len(table) == 1 else table[key]


def _reads(history: History, initial: int, counters: Counters, start: Integers, end: Integers) -> Reads:
    row = np.flatnonzero(history.is_op("read") & (history.status == OK))
    key = history.key[row]
    base, top = of_key(counters.base, key), of_key(counters.top, key)
    told = np.where(history.has_result[row], history.result[row], initial)
    # A value rises above the initial one by -1 at least and by what the counter can show at most. All else is cut off:
    # it is wrong as well, and the difference of any two integers of 64 bits need not fit into 64.
    room = np.minimum(top - base - 1, min(INF, INF - initial))
    value = base + (np.clip(told, max(initial - 1, -INF), initial + room) - initial)
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


def _highest_before(counters: Counters, reads: Reads, key: Codes, start: Integers) -> Integers:
    """The highest value of its counter that a read which ended before each of these starts had shown."""
    known = reads.highest[np.searchsorted(reads.ends, start, "left")]
    return np.maximum(known, of_key(counters.base, key), out=known)


def _lowest_after(counters: Counters, reads: Reads, key: Codes, end: Integers) -> Integers:
    """The lowest value of its counter that a read which started after each of these ends shows."""
    known = reads.lowest[np.searchsorted(reads.starts, end, "right")]
    return np.minimum(known, of_key(counters.top, key), out=known)
