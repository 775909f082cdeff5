"""What a history says of each element of a grow-only set: when it was asked for, acknowledged, shown and missed."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels.packing import arranged, paired
from statelab.record.columns import FAIL, INF, OK, History, Integers, Mask

NEVER = -INF - 1
"""Stands for the latest start of what did not happen, as INF does for its earliest end."""


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The answered whole-set reads, shape `(reads,)`, and what they list, shape `(total length of the lists,)`.

    `row`, `key`, `size`, `start` and `end` are by read; `read` and `element` are by place in a list, read by read.
    """

    row: NDArray[np.intp]
    key: Integers
    size: Integers
    start: Integers
    end: Integers
    read: Integers
    element: Integers


@dataclass(frozen=True, eq=False)
class Evidence:
    """Elements are numbered over all keys; `element[row]` is that of an add or a contains (-1: the row says nothing).

    By element: `asked` is the first start of an add that may have taken effect, `acknowledged` the first end of an ok
    add, `told` the first end of a contains or a read that showed it (INF: none); `missed` is the latest start of one
    that did not, `shown` of one that did (NEVER: none).
    """

    history: History
    element: Integers
    asked: Integers
    acknowledged: Integers
    told: Integers
    missed: Integers
    shown: Integers
    listed: Listed

    @cached_property
    def present(self) -> Integers:
        """By element, the first end of an operation that proves that it is in the set."""
        return np.minimum(self.acknowledged, self.told)

    @cached_property
    def key(self) -> Integers:
        """By element, its key."""
        return _keys(self.history, self.element, self.listed, len(self.asked))

    def showing(self, element: int) -> NDArray[np.intp]:
        """The rows that prove it is in the set: acknowledged adds, contains that said yes, reads that list it."""
        own = (self.element == element) & (self.history.status == OK) & ~self._denying
        listing = np.unique(self.listed.read[self.listed.element == element])
        return np.concatenate((np.flatnonzero(own), self.listed.row[listing]))

    def missing(self, element: int) -> NDArray[np.intp]:
        """The rows that did not find it: contains that said no, reads that do not list it."""
        other = self.listed.key == self.key[element]
        other[self.listed.read[self.listed.element == element]] = False
        return np.concatenate((np.flatnonzero((self.element == element) & self._denying), self.listed.row[other]))

    @cached_property
    def _denying(self) -> Mask:
        return _answered(self.history, 0)


def gather(history: History) -> Evidence:
    """The evidence on every element of every key. O(n + total length of the lists), a sort where values are sparse."""
    add = history.is_op("add") & (history.status != FAIL)
    yes, no = _answered(history, 1), _answered(history, 0)
    element, listed, count = _numbered(history, add | yes | no)
    asked, acknowledged, told = (np.full(count, INF) for _ in range(3))
    missed, shown = (np.full(count, NEVER) for _ in range(2))
    start, end = history.start, history.end
    asking, showing, missing = map(np.flatnonzero, (add, yes, no))
    np.minimum.at(asked, element[asking], start[asking])
    ok = asking[history.status[asking] == OK]
    np.minimum.at(acknowledged, element[ok], end[ok])
    np.minimum.at(told, element[showing], end[showing])
    np.maximum.at(shown, element[showing], start[showing])
    np.maximum.at(missed, element[missing], start[missing])
    if len(listed.row):
        np.minimum.at(told, listed.element, listed.end[listed.read])
        np.maximum.at(shown, listed.element, listed.start[listed.read])
        missed = np.maximum(missed, _latest_without(listed, _keys(history, element, listed, count)))
    return Evidence(history, element, asked, acknowledged, told, missed, shown, listed)


def _answered(history: History, answer: int) -> Mask:
    if history.answer is None:
        return np.zeros(len(history), np.bool_)
    found: Mask = history.is_op("contains") & (history.status == OK) & (history.answer == answer)
    return found


def _numbered(history: History, relevant: Mask) -> tuple[Integers, Listed, int]:
    """Numbers 0, 1, ... for the pairs of key and value: by row, by place in the lists, and how many there are."""
    lists = history.elements
    row = np.flatnonzero(lists.known) if lists is not None else np.zeros(0, np.intp)
    size = lists.length[row] if lists is not None else np.zeros(0, np.int64)
    read = np.repeat(np.arange(len(row)), size)
    value = history.value[relevant] if history.value is not None else np.zeros(0, np.int64)
    key = history.key[relevant]
    if lists is not None:
        key = np.concatenate((key, history.key[row][read]))
        value = np.concatenate((value, lists.number))
    number, count = _dense(paired(key, value))
    element = np.full(len(history), -1)
    element[relevant] = number[: len(number) - len(read)]
    times = history.start[row], history.end[row]
    listed = Listed(row, history.key[row].astype(np.int64), size, *times, read, number[len(number) - len(read) :])
    return element, listed, count


def _dense(code: Integers) -> tuple[Integers, int]:
    """Small numbers for codes and how many there can be: a shift where the codes are close together, else a sort."""
    if not len(code):
        return code, 0
    low, span = int(code.min()), int(code.max()) - int(code.min()) + 1
    if span <= 4 * len(code):
        return code - low, span
    different, number = np.unique(code, return_inverse=True)
    return number.astype(np.int64), len(different)


def _keys(history: History, element: Integers, listed: Listed, count: int) -> Integers:
    key = np.zeros(count, np.int64)
    own = element >= 0
    key[element[own]] = history.key[own]
    key[listed.element] = listed.key[listed.read]
    return key


def _latest_without(listed: Listed, key: Integers) -> Integers:
    """By element, the latest start of a read of its key that does not list it; NEVER where there is none.

    Reads of a key are ranked from the latest start down, and the first rank that an element lacks is looked for among
    as many flags as it has places in lists, and one more. Linear.
    """
    keys = int(max(listed.key.max(), key.max(initial=0))) + 1
    by_start = arranged(listed.key, listed.start)
    reads = np.bincount(listed.key, minlength=keys)
    past = np.cumsum(reads)
    rank = np.empty(len(by_start), np.int64)
    rank[by_start] = past[listed.key[by_start]] - 1 - np.arange(len(by_start))
    places = np.bincount(listed.element, minlength=len(key))
    first = np.cumsum(places + 1) - places - 1
    flags = np.zeros(len(listed.element) + len(key), np.bool_)
    near = rank[listed.read] < places[listed.element]
    flags[first[listed.element[near]] + rank[listed.read[near]]] = True
    empty = np.flatnonzero(~flags)
    lacking = empty[np.searchsorted(empty, first)] - first
    found = lacking < reads[key]
    latest = listed.start[by_start[np.where(found, past[key] - 1 - lacking, 0)]]
    return np.where(found, latest, NEVER)
