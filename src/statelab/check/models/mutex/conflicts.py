"""Pairs of blocks of a lock that must each precede the other (see zones.py), of all keys at once."""

from dataclasses import dataclass
from dataclasses import replace

import numpy as np

from statelab.check.kernels import zones
from statelab.check.kernels.packing import paired
from statelab.check.kernels.packing import spans
from statelab.check.models.mutex.holds import Blocks
from statelab.check.models.mutex.holds import Holds
from statelab.check.models.mutex.holds import Places
from statelab.record.columns import INF
from statelab.record.columns import Integers
from statelab.record.columns import Mask


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
    """The pairs that zones.py names."""
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
