"""Chains of values: each replaced by the next, from one that was written (or there from the beginning) to the last."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import order
from statelab.record.columns import INF
from statelab.record.columns import Codes
from statelab.record.columns import Integers


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Values in the order that their chains force: `value[i]` is the value at place i, chains lie one after the other.

    Chain c takes the places `first[c]` to `first[c + 1]`. `endless` are values of chains without a first one.
    """

    value: Codes
    first: NDArray[np.intp]
    endless: Integers

    @property
    def number(self) -> Integers:
        """For each place, its chain."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.append(self.first, len(self.value))))

    @property
    def single(self) -> bool:
        return len(self.first) == len(self.value)


def chains(before: Codes) -> Chains:
    """Strings values together; `before[i]` is the value that value i replaced, -1 for none, and no two are the same.

    Pointer jumping (Wyllie 1979): O(n log n) for the longest chain of n, O(n) where all are short. Chains are in the
    order of their first values.
    """
    head = np.where(before < 0, np.arange(len(before), dtype=np.int32), before)
    place = (before >= 0).astype(np.int32)
    moving = np.flatnonzero(before >= 0)
    for _ in range(len(moving).bit_length()):
        moving = moving[before[head[moving]] >= 0]
        beyond = head[moving]
        place[moving] += place[beyond]
        head[moving] = head[beyond]
    endless = moving[before[head[moving]] >= 0]
    if len(endless):
        head[endless] = endless
    return _laid_out(head, place, endless)


def _laid_out(head: Codes, place: Codes, endless: Integers) -> Chains:
    kept: Codes = np.delete(np.arange(len(head), dtype=np.int32), endless)
    if len(endless):
        head, place = head[kept], place[kept]
    size = np.bincount(head, minlength=len(kept) + len(endless))
    offset = np.cumsum(size) - size
    first = offset[size > 0]
    del size
    at = offset[head]
    at += place
    value = np.empty_like(kept)
    value[at] = kept
    return Chains(value, first, endless)


def latest(first: NDArray[np.intp], start: Integers) -> Integers:
    """For each place, the latest start up to it in its chain: a cumulative maximum that begins anew with each chain."""
    size = np.diff(np.append(first, len(start)))
    size, longer = size[size > 1], np.repeat(size > 1, size)
    if not len(size):
        return start
    begin, moved = np.cumsum(size) - size, start[longer]
    lift = np.repeat(order.lift(begin, moved, moved), size) if len(size) > 1 else 0
    moved += lift
    np.maximum.accumulate(moved, out=moved)
    moved -= lift
    if len(moved) == len(start):
        return moved
    upto = start.copy()
    upto[longer] = moved
    return upto


def earlier(first: NDArray[np.intp], upto: Integers) -> Integers:
    """The cumulative maximum `upto` just before each place; -INF where a chain begins."""
    before = np.empty_like(upto)
    before[1:] = upto[:-1]
    before[first] = -INF
    return before
