"""The rule for registers with unique values: in a chain all is in order, and no two chains must each precede the other.

A chain is a value that was written, or there from the beginning, and those that replaced it one after the other. Its
operations must lie together in any order (a value that is gone does not come back), so chains are blocks for LEMMA
ZONES; inside a chain the order is forced (made, seen, replaced, seen, ...), so LEMMA ORDER decides.
"""

from dataclasses import dataclass
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from statelab.checkers import order
from statelab.checkers.register_chains import Chains
from statelab.checkers.register_chains import chains
from statelab.checkers.register_chains import earlier
from statelab.checkers.register_chains import latest
from statelab.checkers.register_values import NEVER
from statelab.checkers.register_values import Values
from statelab.checkers.zones import Conflicts
from statelab.checkers.zones import conflicts
from statelab.columns import INF
from statelab.columns import Integers
from statelab.columns import Mask

_FAR = 2**61  # 73 years in ns; beyond it sums might not fit


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """Chains of some keys and what contradicts what, on a time axis of their own (ns or, where too long, ranks).

    `value[i]` is the value at place i (see Chains). `made` and `seen` are (latest start, earliest end) by place, and
    `last_start_at` and `first_end_at` those of both.
    `future` marks places where something ended before its value, or one before it in its chain, was asked for;
    `stale` those where something ended before a value that it replaced was seen. `first_end` and `last_start` are by
    chain, each key's after those of the key before; `clashes` are pairs of chains.
    """

    chains: Chains
    value: Integers
    made: tuple[Integers, Integers]
    seen: tuple[Integers, Integers]
    first_end_at: Integers
    last_start_at: Integers
    future: Mask
    stale: Mask
    first_end: Integers
    last_start: Integers
    clashes: Conflicts
    in_ranks: bool = False

    def violated(self, key: Integers) -> Integers:
        """The keys that these contradictions and endless chains concern; `key` is that of each value."""
        placed = self.value[self.chains.value]
        wrong = placed[self.future | self.stale]
        clashing = placed[self.chains.first[self.clashes.other]]
        return np.unique(key[np.concatenate((wrong, clashing, self.value[self.chains.endless]))])


def blocks(given: Values, chosen: Integers, strung: Chains | None = None) -> Blocks:
    """Judges some live values: all of some keys, each made once and replaced once at most. O(n log n).

    `strung` are their chains, where they are known.
    """
    if strung is None:
        position = np.full(len(given.key) + 1, -1, np.int64)
        position[chosen] = np.arange(len(chosen))
        strung = chains(position[given.before[chosen]])
    line = chosen[strung.value]
    times = [given.made_start[line], given.made_end[line], given.seen_start[line], given.seen_end[line]]
    try:
        return _judged(given, chosen, strung, *_whole(strung.first, *times))
    except OverflowError:
        return replace(_judged(given, chosen, strung, *_whole(strung.first, *_ranks(*times))), in_ranks=True)


def _whole(
    first: NDArray[np.intp], made_start: Integers, made_end: Integers, seen_start: Integers, seen_end: Integers
) -> tuple[Integers, ...]:
    """The same times with a start for each place that has none, so low that it never counts.

    Only a value that was there from the beginning was never made: it was there before all else in its chain.
    """
    never_seen, initial = seen_start == NEVER, np.flatnonzero(made_start[first] == NEVER)
    seen_start[never_seen] = made_start[never_seen]
    bounds = np.append(first, len(made_start))
    for chain in initial.tolist():
        own = slice(int(bounds[chain]), int(bounds[chain + 1]))
        made_start[own.start] = min(seen_start[own].min(), seen_end[own].min(), made_end[own].min())
    if len(made_start) and (min(made_start.min(), seen_start.min()) < -_FAR or seen_start.max() > _FAR):
        raise OverflowError
    return made_start, made_end, seen_start, seen_end


def _ranks(*times: Integers) -> list[Integers]:
    """The same order of times in small numbers; NEVER and INF stay."""
    stamps = np.unique(np.concatenate(times))
    return [np.where((t == NEVER) | (t == INF), t, np.searchsorted(stamps, t)) for t in times]


def _judged(
    given: Values,
    chosen: Integers,
    strung: Chains,
    made_start: Integers,
    made_end: Integers,
    seen_start: Integers,
    seen_end: Integers,
) -> Blocks:
    first = strung.first
    end, start = np.minimum(made_end, seen_end), np.maximum(made_start, seen_start)
    future = end < latest(first, made_start)
    stale = end < earlier(first, latest(first, start))
    first_end, last_start = end.copy(), start.copy()
    if len(first) < len(end):
        first_end, last_start = np.minimum.reduceat(end, first), np.maximum.reduceat(start, first)
    roots = chosen[strung.value[first]]
    _lift(given.key[roots], given.initial[roots], first_end, last_start)
    return Blocks(
        chains=strung,
        value=chosen,
        made=(made_start, made_end),
        seen=(seen_start, seen_end),
        first_end_at=end,
        last_start_at=start,
        future=future,
        stale=stale & ~future,
        first_end=first_end,
        last_start=last_start,
        clashes=conflicts(first_end, last_start),
    )


def _lift(key: Integers, initial: Mask, first_end: Integers, last_start: Integers) -> None:
    """Puts each key's times after those of the key before, and the beginning of all before everything of its key."""
    first_end[initial] = last_start[initial]
    first = np.flatnonzero(order.begins(key))
    low, high = np.minimum(first_end, last_start), np.maximum(first_end, last_start)
    chains_of_key = np.diff(np.append(first, len(key)))
    lift: Integers = np.repeat(order.lift(first, low, high), chains_of_key)
    np.add(first_end, lift, out=first_end, where=first_end != INF)
    last_start += lift
    least = np.repeat(np.minimum.reduceat(low, first), chains_of_key) if len(first) else low
    first_end[initial] = (least + lift - 1)[initial]
