"""The holds of a lock in a history, client by client, and which operations each needs.

The operations of one client on one key, those that failed left out, are put in the order of their starts. A
hold that was answered is certain from the end of its acquire to `freed`, the start of the first release that can have
ended it.

`contradictions` names the pairs of blocks that must each precede the other (kernels/zones.py), of all keys at once.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import zones
from statelab.check.kernels.order import begins
from statelab.check.kernels.packing import arranged, dense, paired, spans
from statelab.record.columns import FAIL, INF, OK, Codes, History, Integers, Mask

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Operations that lie together: the one at `place` stands for them, `first_end` and `last_start` are as in zones.py
    (INF: they never end)."""

    place: Places
    first_end: Integers
    last_start: Integers


class Following:
    """`following[places]`: for each of them the next place of `which` of the same client and key; m where none is."""

    def __init__(self, which: Mask, client: Places) -> None:
        self._client = client
        self._rows = np.append(np.flatnonzero(which), len(which))
        self._before = np.cumsum(which)

    def __getitem__(self, places: Places) -> Places:
        after, m = self._rows[self._before[places]], len(self._client)
        same = self._client[np.minimum(after, m - 1)] == self._client[places]
        return np.where(same, after, m)


@dataclass(frozen=True, eq=False)
class Holds:
    """Shape `(m,)`: the operations that may have taken effect, by client and key, then by start; `row` is where they
    stand in the history. `client` is where those of the same client and key begin. `tied`: some of a client and key
    start at once."""

    history: History
    row: Places
    client: Places
    start: Integers
    acquire: Mask
    ok: Mask
    tied: bool

    @cached_property
    def end(self) -> Integers:
        return self.history.end[self.row]

    @cached_property
    def key(self) -> Integers:
        return self.history.key[self.row].astype(np.int64)

    @cached_property
    def answered(self) -> Places:
        """The places of answered operations."""
        return np.flatnonzero(self.ok)

    def so_far(self, which: Mask) -> Codes:
        """For each place how many of `which` the same client and key had up to it."""
        count = np.cumsum(which, dtype=np.int32)
        before = (count - which).take(self.client)
        return np.subtract(count, before, out=count)

    @cached_property
    def begun(self) -> Places:
        """Shape `(h,)`: the places of answered acquires."""
        return np.flatnonzero(self.ok & self.acquire)

    @cached_property
    def next_answered(self) -> Following:
        return Following(self.ok, self.client)

    @cached_property
    def answer(self) -> Places:
        """For each of `begun` the next answered place of its client."""
        return self.next_answered[self.begun]

    @cached_property
    def next_release(self) -> Following:
        return Following(~self.acquire, self.client)

    @cached_property
    def release(self) -> Places:
        """For each of `begun` the next release of its client, answered or not."""
        return self.next_release[self.begun]

    @cached_property
    def holding(self) -> Mask:
        """Which answered releases follow an answered acquire: it is theirs, unless something unknown lies between."""
        mine = np.zeros(len(self.row) + 1, np.bool_)
        mine[self.answer] = True
        return mine[:-1] & self.ok & ~self.acquire

    @cached_property
    def needy(self) -> Mask:
        """Which answered releases need an acquire of unknown outcome before them."""
        return self.ok & ~self.acquire & ~self.holding

    @cached_property
    def spare(self) -> Codes:
        """For each place how many acquires of unknown outcome there were up to it, beyond what releases needed."""
        return self.so_far(self.acquire & ~self.ok) - self.so_far(self.needy)

    @cached_property
    def starved(self) -> Mask:
        """Which answered releases have no acquire that can be theirs, in the order of the starts."""
        return self.needy & (self.spare < 0)

    @cached_property
    def again(self) -> Mask:
        """Which acquires stand in a run of answered ones of their client, with no answered release between."""
        first, after = self.begun, self.answer
        inside = after < len(self.row)
        first, after = first[inside], after[inside]
        twice = self.acquire[after]
        run = np.zeros(len(self.row), np.bool_)
        run[first[twice]] = run[after[twice]] = True
        return run

    @cached_property
    def muddled(self) -> Mask:
        """The places of clients whose answers have no order of their own: one starts when, or before, another ends."""
        one, before = self.answered[1:], self.answered[:-1]
        wrong = (self.client[one] == self.client[before]) & (self.start[one] <= self.end[before])
        clients = np.zeros(len(self.row), np.bool_)
        clients[self.client[one[wrong]]] = True
        same = (self.client[1:] == self.client[:-1]) & (self.start[1:] == self.start[:-1])
        clients[self.client[1:][same]] = True
        return clients[self.client]

    @cached_property
    def at_once(self) -> Places:
        """The first place of the same client, key and start."""
        new = begins(self.client) | begins(self.start)
        return np.maximum.accumulate(np.where(new, np.arange(len(new)), 0))

    def freed(self, place: Places) -> Integers:
        """For answered acquires the start of the first release of their client that started no earlier; INF: none."""
        if not self.tied:
            return self.started(self.next_release[place])
        at_once = self.at_once[place]
        return self.started(np.where(self.acquire[at_once], self.next_release[at_once], at_once))

    def started(self, place: Places) -> Integers:
        """When the operations at some places started; INF for the place m, where none is."""
        last = len(self.row) - 1
        return np.where(place > last, INF, self.start[np.minimum(place, last)]) if last >= 0 else np.zeros(0, np.int64)

    @cached_property
    def asked(self) -> Codes:
        """How many acquires the client had asked for when each operation started."""
        if not self.tied:
            return self.so_far(self.acquire)
        new = np.append(self.at_once[1:] == np.arange(1, len(self.row)), True)
        last = np.where(new, np.arange(len(self.row)), len(self.row))
        return self.so_far(self.acquire)[np.minimum.accumulate(last[::-1])[::-1]]

    @cached_property
    def overdrawn(self) -> Mask:
        """Which answered releases are more than their client had asked for acquires when they started."""
        release = self.ok & ~self.acquire
        return release & (self.so_far(release) > self.asked)

    @cached_property
    def may_be_two(self) -> Places:
        """The acquires of which an unknown release lies before the answered one: they may be two holds, not one."""
        with_release = np.append(self.holding, False)[self.answer]
        return self.begun[with_release & (self.release < self.answer)]


def holds(history: History) -> Holds:
    """Puts the operations of each client in order. O(n log n)."""
    rows = np.flatnonzero(history.status != FAIL)
    client: Integers | Codes = history.process[rows]
    if len(history.keys) > 1:
        client = dense(history.key[rows] * np.int64(max(1, len(history.processes))) + client)
    by_client = arranged(client, history.start[rows])
    rows, client = rows[by_client], client[by_client]
    start = history.start[rows]
    tied = bool(((client[1:] == client[:-1]) & (start[1:] == start[:-1])).any())
    if tied:
        order = np.lexsort((history.end[rows], history.start[rows], client))
        rows, client, start = rows[order], client[order], start[order]
    new = begins(client)
    first = np.maximum.accumulate(np.where(new, np.arange(len(rows)), 0)) if len(rows) else np.zeros(0, np.intp)
    return Holds(history, rows, first, start, history.is_op("acquire")[rows], history.status[rows] == OK, tied)


def plainly(found: Holds) -> Blocks:
    """The holds if, of the operations of unknown outcome, only those took effect that must have."""
    place, following, unknown = found.begun, found.answer, found.release
    last = max(0, len(found.row) - 1)
    inside = np.minimum(following, last)
    whole = found.holding[inside] & (following <= last)
    until = np.where(whole, following, np.where(unknown < following, unknown, last + 1))
    freed = found.started(until)
    begun = found.end[place]
    first_end = np.where(whole, np.minimum(begun, found.end[inside]), begun)
    alone = np.flatnonzero(found.needy)
    return Blocks(
        np.concatenate((place, alone)),
        np.concatenate((first_end, found.end[alone])),
        np.concatenate((np.maximum(found.start[place], freed), found.start[alone])),
    )


def split_at(found: Holds, blocks: Blocks, split: Places) -> Blocks:
    """The blocks of `plainly` if each acquire in `split` began a hold that ended with an unknown release, and the
    answered release after it ends another hold, which began with an unknown acquire."""
    acquires = np.searchsorted(found.begun, split)
    first_end, last_start = blocks.first_end.copy(), blocks.last_start.copy()
    first_end[acquires] = found.end[split]
    last_start[acquires] = np.maximum(found.start[split], found.start[found.next_release[split]])
    second = found.next_answered[split]
    return Blocks(
        np.concatenate((blocks.place, second)),
        np.concatenate((first_end, found.end[second])),
        np.concatenate((last_start, found.start[second])),
    )


def without_acquire(found: Holds, split: Places) -> Places:
    """The releases for which, with these splits, no unknown acquire is left."""
    if not len(split):
        return np.flatnonzero(found.starved)
    second = np.zeros(len(found.row), np.bool_)
    second[found.next_answered[split]] = True
    needy = second | found.needy
    return np.flatnonzero(needy & (found.spare < found.so_far(second)))


def at_least(found: Holds, some: Places, *, whole: bool) -> Blocks:
    """What is certain however the unknown operations went: a hold lasts until the first release that can have ended
    it, and a release lies in a hold. `whole`: a hold that could be split, but has no acquire to spare for it, is one.

    `some` are places of blocks of `plainly`. Each block here lies within one of those, so two of these can contradict
    each other only where those do.
    """
    place = some[found.acquire[some]]
    freed = found.freed(place)
    if whole:
        one = np.isin(place, unsplittable(found))
        freed[one] = found.start[found.next_answered[place[one]]]
    answer = found.next_answered[place]
    released = answer[np.append(found.holding, False)[answer]]
    alone = np.concatenate((some[~found.acquire[some]], released))
    return Blocks(
        np.concatenate((place, alone)),
        np.concatenate((found.end[place], found.end[alone])),
        np.concatenate((np.maximum(found.start[place], freed), found.start[alone])),
    )


def unsplittable(found: Holds) -> Places:
    """The acquires that may be two holds by their releases, but for whose second hold there is no acquire to spare."""
    place = found.may_be_two
    return place[(found.spare[found.next_answered[place]] <= 0) & ~found.muddled[place]]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Places of the operations that two blocks are named after, shape `(c,)`, the earlier start first; `slack` is by
    how many ns clocks must be wrong for the contradiction to vanish (`NEVER`: they need not be right at all)."""

    one: Places
    other: Places
    slack: Integers

    def __len__(self) -> int:
        return len(self.one)

    def of(self, which: Mask) -> "Pairs":
        return replace(self, one=self.one[which], other=self.other[which], slack=self.slack[which])


NEVER = np.iinfo(np.uint64).max


def contradictions(found: Holds, blocks: Blocks) -> Pairs:
    """The pairs of blocks that must each precede the other (LEMMA ZONES, kernels/zones.py)."""
    first_end, last_start = _apart(found, blocks)
    wrong = zones.conflicts(first_end, last_start)
    one, other = wrong.one, wrong.other
    slack = np.minimum(_after(blocks, one, other), _after(blocks, other, one))
    one, other = blocks.place[one], blocks.place[other]
    swapped = found.start[other] < found.start[one]
    return Pairs(np.where(swapped, other, one), np.where(swapped, one, other), slack)


def _after(blocks: Blocks, one: Places, other: Places) -> Integers:
    """By how many ns the blocks `one` begin too early to come after the others."""
    lasts = blocks.last_start[other]
    return np.where(lasts == INF, NEVER, spans(blocks.first_end[one], lasts))


def _apart(found: Holds, blocks: Blocks) -> tuple[Integers, Integers]:
    """The times of the blocks on an axis on which keys do not touch. What never ends lasts beyond all of its key."""
    if len(found.history.keys) <= 1:
        return blocks.first_end, blocks.last_start
    key, times = found.key[blocks.place], np.concatenate((blocks.first_end, blocks.last_start))
    last = times[times != INF].max(initial=-INF)
    on_axis = paired(np.concatenate((key, key)), np.minimum(times, min(int(last), INF - 1) + 1))
    return on_axis[: len(key)], on_axis[len(key) :]
