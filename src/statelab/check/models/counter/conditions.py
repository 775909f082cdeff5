"""Every operation of a counter's history that breaks one of the three conditions (see counter.py), for all counters."""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels import order
from statelab.check.models.counter.ranked import Answers
from statelab.check.models.counter.ranked import Told
from statelab.check.models.counter.ranked import above
from statelab.check.models.counter.ranked import told
from statelab.record.columns import Integers
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """Defects by position of `told`, shape `(answered,)`; `violated` and `nobody` by counter.

    `slack` is by how many ns an operation ended too early for its rank (0: it did not), `gap` marks one that shows a
    value which needs more increments than there were; `nobody[c]` counts the numbers up to the counter's highest that
    nobody was told.
    """

    given: Answers
    told: Told
    unknown_by_end: Integers
    too_low: Mask
    duplicate: Mask
    gap: Mask
    slack: Integers
    nobody: Integers

    @property
    def valid(self) -> bool:
        return not self.defect.any()

    @property
    def defect(self) -> Mask:
        return self.too_low | self.duplicate | self.gap | (self.slack > 0)

    @property
    def violated(self) -> Mask:
        return np.bincount(self.told.counter[self.defect], minlength=len(self.told.first)) > 0


def examine(given: Answers, group: Integers) -> Examination:
    """Decides every counter of every group at once. O(n log n).

    A row with group -1 may belong to any group: its increment then counts as one of unknown outcome in each of them,
    which can hide a violation but never make one; its read is left out.
    """
    by_number = told(given, group)
    value, read = above(given.initial, by_number.value), by_number.read
    distinct = _distinct_so_far(by_number)
    unknown_by_end = _unknown_by_end(given, by_number)
    last = np.append(by_number.first[1:], len(value)) - 1 if len(value) else by_number.first
    return Examination(
        given=given,
        told=by_number,
        unknown_by_end=unknown_by_end,
        too_low=value < ~read,  # a read may show 0, an increment 1
        duplicate=~by_number.new & ~read,
        gap=value - distinct > unknown_by_end,
        slack=order.slack(by_number.code, by_number.start, by_number.end),
        nobody=np.maximum(value[last] - distinct[last], 0),
    )


def _distinct_so_far(by_number: Told) -> Integers:
    """For each position, how many different numbers its counter's increments were told up to its own."""
    count: Integers = np.cumsum(by_number.new & ~by_number.read)
    before = np.concatenate(([0], count[by_number.first[1:] - 1])) if len(count) else count
    count -= by_number.each(before)
    return count


def _unknown_by_end(given: Answers, by_number: Told) -> Integers:
    """For each position, how many increments of unknown outcome had started when it ended."""
    history, group = given.history, by_number.group
    own = np.flatnonzero(given.unknown & (group >= 0))
    owner = by_number.counter_of(history, own)
    count = by_number.started_by_end(owner[owner >= 0], history.start[own[owner >= 0]])
    shared = history.start[given.increment & (given.unknown | given.answered) & (group < 0)]
    if len(shared):
        count = count + np.searchsorted(np.sort(shared), history.end[by_number.row], "right")
    return count
