"""Chains of values, and the rule for registers with unique values: the order inside a chain, and that between chains.

A chain is a value that was written, or there from the beginning, and those that replaced it one after the other. Its
operations must lie together in any order (a value that is gone does not come back), so chains are blocks for LEMMA
ZONES; inside a chain the order is forced (made, seen, replaced, seen, ...), so LEMMA ORDER decides.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import order
from statelab.check.kernels.zones import Conflicts, conflicts
from statelab.check.models.register.values import NEVER, Values
from statelab.record.columns import INF, Codes, Integers, Mask


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


_FAR = 2**61  # 73 years in ns; beyond it sums might not fit


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Chains of some keys and what contradicts what, on a time axis of their own (ns or, where too long, ranks).

    `value[i]` is the value at place i (see Chains). By place, `made_start` is when its maker started, `first_end_at`
    the earliest end and `last_start_at` the latest start among those who made or saw it. `future` marks
    places where something ended before its value, or one before it in its chain, was asked for; `stale` those where
    something ended before a value that it replaced was seen. `first_end` and `last_start` are by chain, each key's
    after those of the key before; `clashes` are pairs of chains.
    """

    chains: Chains
    value: Codes
    made_start: Integers
    first_end_at: Integers
    last_start_at: Integers
    future: Mask
    stale: Mask
    first_end: Integers
    last_start: Integers
    clashes: Conflicts
    in_ranks: bool = False

    def contradicting(self, chosen: Mask) -> Codes:
        """Those of the chosen values (a mask) whose chains contradict themselves or each other."""
        if not chosen.any():
            return np.zeros(0, np.int32)
        wrong = np.zeros(len(self.chains.first), np.bool_)
        wrong[self.chains.number[self.future | self.stale]] = True
        wrong[self.clashes.one] = wrong[self.clashes.other] = True
        among = self.value[self.chains.value[wrong[self.chains.number]]]
        return among[chosen[among]]

    def violated(self, key: Integers) -> Integers:
        """The keys that these contradictions and endless chains concern; `key` is that of each value."""
        placed = self.value[self.chains.value]
        wrong = placed[self.future | self.stale]
        clashing = placed[self.chains.first[self.clashes.other]]
        return np.unique(key[np.concatenate((wrong, clashing, self.value[self.chains.endless]))])


def blocks(given: Values, chosen: Codes, strung: Chains | None = None) -> Blocks:
    """Judges some live values: all of some keys, each made once and replaced once at most. O(n log n).

    `strung` are their chains, where they are known.
    """
    if strung is None:
        position = np.full(len(given.key) + 1, -1, np.int32)
        position[chosen] = np.arange(len(chosen))
        strung = chains(position[given.before[chosen]])
        del position
    # For each value, when its maker started, and the latest start and the earliest end of all who met it.
    line, first = chosen[strung.value], strung.first
    made_start, last_start, first_end = given.made_start[line], given.seen_start[line], given.first_end[line]
    np.maximum(made_start, last_start, out=last_start)
    del line
    # A value that was there from the beginning starts before all else in its chain.
    bounds = np.append(first, len(made_start))
    for chain in np.flatnonzero(made_start[first] == NEVER).tolist():
        own = slice(int(bounds[chain]), int(bounds[chain + 1]))
        made_start[own.start] = min(last_start[own].min(), first_end[own].min())
    times = (made_start, last_start, first_end)
    try:
        return _judged(given, chosen, strung, *times)
    except OverflowError:  # only the order of times counts, so their ranks do as well
        stamps = np.unique(np.concatenate(times))
        ranks = [np.where(t == INF, t, np.searchsorted(stamps, t)) for t in times]
        return replace(_judged(given, chosen, strung, *ranks), in_ranks=True)


def _judged(
    given: Values, chosen: Codes, strung: Chains, made_start: Integers, last_start: Integers, first_end: Integers
) -> Blocks:
    if len(made_start) and (made_start.min() < -_FAR or last_start.max() > _FAR):
        raise OverflowError
    first = strung.first
    future = first_end < latest(first, made_start)
    stale = first_end < earlier(first, latest(first, last_start))
    if strung.single:
        zone_end, zone_start = first_end.copy(), last_start.copy()
    else:
        zone_end, zone_start = np.minimum.reduceat(first_end, first), np.maximum.reduceat(last_start, first)
    roots = chosen[strung.value[first]]
    _lift(given.key[roots], given.initial[roots], zone_end, zone_start)
    return Blocks(
        chains=strung,
        value=chosen,
        made_start=made_start,
        first_end_at=first_end,
        last_start_at=last_start,
        future=future,
        stale=stale & ~future,
        first_end=zone_end,
        last_start=zone_start,
        clashes=conflicts(zone_end, zone_start),
    )


def _lift(key: Integers, initial: Mask, first_end: Integers, last_start: Integers) -> None:
    """Puts each key's times after those of the key before, and the beginning of all before everything of its key."""
    first_end[initial] = last_start[initial]
    first = np.flatnonzero(order.begins(key))
    low, high = np.minimum(first_end, last_start), np.maximum(first_end, last_start)
    lift, least = order.lift(first, low, high), np.minimum.reduceat(low, first) if len(first) else low
    if len(first) > 1:
        lifts = np.repeat(lift, np.diff(np.append(first, len(key))))
        np.add(first_end, lifts, out=first_end, where=first_end != INF)
        last_start += lifts
    with_initial = np.searchsorted(first, np.flatnonzero(initial), "right") - 1
    first_end[initial] = (least + lift - 1)[with_initial]
