"""The answered operations of a counter's history, in the order that their numbers force."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import order
from statelab.record.columns import FAIL, INFO, OK, History, Integers, Mask, Rows

_LARGEST = 2**62


def above(initial: int, numbers: Integers) -> Integers:
    """How far each number lies above the initial one, cut off at 2^62 either way so that the difference fits."""
    least, largest = np.iinfo(np.int64).min, np.iinfo(np.int64).max
    lowest, highest = max(initial - _LARGEST, int(least)), min(initial + _LARGEST, int(largest))
    if len(numbers) and (numbers.min() < lowest or numbers.max() > highest):
        numbers = np.clip(numbers, lowest, highest)
    return numbers - initial if initial else numbers


@dataclass(frozen=True, eq=False)
class Answers:
    """What a history says about counters: its rows by role, shape `(n,)` each.

    `answered` are ok increments and ok reads, `unknown` are increments that may or may not have taken effect. Failed
    increments had no effect and failed reads say nothing: they are in neither. `value` is the number told; a read of
    nothing yet is one of `initial`. `settled` are the reads that started after every ok increment had ended.
    """

    history: History
    initial: int
    increment: Mask
    answered: Mask
    unknown: Mask
    value: Integers

    @cached_property
    def settled(self) -> Mask:
        ok = self.answered & self.increment
        quiet = self.history.end[ok].max(initial=np.iinfo(np.int64).min)
        reads: Mask = self.answered & ~self.increment & (self.history.start > quiet)
        return reads


def answers(history: History, initial: int) -> Answers:
    """Sorts rows by role; raises ValueError for a history that is not one of a counter that answers."""
    increment, read = history.is_op("increment"), history.is_op("read")
    known = history.status != FAIL
    if not (increment | read | ~known).all():
        other = history.operation(int(np.argmin(increment | read | ~known)))
        raise ValueError(f"the counter model knows increment and read, not {other.op!r}")
    answered = history.status == OK
    if (answered & increment & ~history.has_result).any():
        raise ValueError("an ok increment has no result: this model needs the number that it returned")
    return Answers(
        history=history,
        initial=initial,
        increment=increment,
        answered=answered,
        unknown=increment & (history.status == INFO),
        value=np.where(history.has_result, history.result, initial),
    )


@dataclass(frozen=True, slots=True, eq=False)
class RankedAnswers:
    """Answered operations sorted by (counter, number told, increment before read): position p is row `row[p]`.

    Every key of every group is a counter of its own, numbered 0.. in `counter`; `first[c]` is where counter c begins.
    `start` and `end` are on a lifted axis (see order.lift): `offset[c]` was added to the times of counter c.
    `code` is the rank that LEMMA ORDER needs, `new` where it changes. `group` is that of the history's rows, `place[c]`
    is the group and key that counter c stands for (`RankedAnswers.counter_of`).
    """

    row: NDArray[np.intp]
    counter: Integers
    value: Integers
    read: Mask
    code: Integers
    new: Mask
    start: Integers
    end: Integers
    first: NDArray[np.intp]
    offset: Integers
    group: Integers
    place: Integers

    def counter_of(self, history: History, rows: NDArray[np.intp]) -> Integers:
        """The counter that each row belongs to; -1 where it is in no group or its counter answered nobody."""
        if not len(self.place):
            return np.full(len(rows), -1, np.int64)
        wanted = _places(history, self.group, rows)
        found = np.minimum(np.searchsorted(self.place, wanted), len(self.place) - 1)
        return np.where(self.place[found] == wanted, found, -1)

    def each(self, of_counter: Integers, places: Rows = slice(None)) -> Integers:
        """For each of some positions what its counter has; a single value if there is one counter."""
        return of_counter if len(of_counter) == 1 else of_counter[self.counter[places]]

    def started_by_end(self, counter: Integers, start: Integers, places: Rows = slice(None)) -> Integers:
        """For each of some positions, how many of the given starts (of its counter) are not later than its end."""
        ends = self.end[places]
        if not len(counter) or not len(ends):
            return np.zeros(len(ends), np.int64)
        low = np.minimum.reduceat(self.start, self.first)
        high = np.maximum.reduceat(self.end, self.first)
        lifted = np.maximum(start + self.offset[counter], low[counter])
        kept = lifted <= high[counter]  # one that started after the counter's last answer concerns none of them
        in_counter = np.bincount(counter[kept], minlength=len(self.first))
        before = np.cumsum(in_counter) - in_counter
        lifted = lifted[kept]
        late = lifted[lifted > ends.min()]  # all others had started by any of the ends
        started = np.searchsorted(np.sort(late[late <= ends.max()], kind="stable"), ends, "right")
        started += len(lifted) - len(late) - self.each(before, places)
        return started


def ranked(given: Answers, group: Integers) -> RankedAnswers:
    """The order for one way of parting the rows into groups (-1: in no group). O(n log n), one sort."""
    history = given.history
    rows = np.flatnonzero(given.answered & (group >= 0))
    read = ~given.increment[rows]
    place = _places(history, group, rows)
    code = _packed(place, given.value[rows], read)
    by_code = np.argsort(code, kind="stable")
    rows, code, place = rows[by_code], code[by_code], _at(place, by_code)
    if not len(place) or place[0] == place[-1]:
        first, counter = np.arange(min(1, len(place))), np.broadcast_to(np.int64(0), len(place))
    else:
        begin = order.begins(place)
        first, counter = np.flatnonzero(begin), np.cumsum(begin) - 1
    start, end = history.start[rows], history.end[rows]
    offset = order.lift(first, start, end)
    if len(first) > 1:
        start, end = start + offset[counter], end + offset[counter]
    return RankedAnswers(
        row=rows,
        counter=counter,
        value=given.value[rows],
        read=(code & 1).astype(np.bool_),
        code=code,
        new=order.begins(code),
        start=start,
        end=end,
        first=first,
        offset=offset,
        group=group,
        place=place[first],
    )


def _at(array: Integers, rows: NDArray[np.intp]) -> Integers:
    """`array[rows]`; if all is equal, a broadcast array, which takes no memory."""
    return array[rows] if array.strides[0] else np.broadcast_to(array[:1], len(rows))


def _places(history: History, group: Integers, rows: NDArray[np.intp]) -> Integers:
    if len(history.keys) <= 1:
        return _at(group, rows)
    return np.where(group[rows] < 0, -1, group[rows] * len(history.keys) + history.key[rows])


def _packed(place: Integers, value: Integers, read: Mask) -> Integers:
    """One int64 that sorts as (place, value, read): a packed sort is several times faster than np.lexsort."""
    if not len(place):
        return place
    low, high = int(value.min()), int(value.max())
    if (int(place.max()) + 1) * 2 * (high - low + 1) >= _LARGEST:
        place = np.unique(place, return_inverse=True)[1]
        value = np.unique(value, return_inverse=True)[1]
        low, high = 0, len(value)
    code: Integers = value - low
    if place.any():
        code += place * (high - low + 1)
    code <<= 1
    code |= read
    return code
