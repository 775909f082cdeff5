"""Arithmetic of final values: how many acknowledged increments are missing from what was read at the end."""

from dataclasses import dataclass

import numpy as np

from statelab.check.models.counter.ranked import Answers
from statelab.check.models.counter.ranked import Told
from statelab.check.models.counter.ranked import above
from statelab.core.results import Bounds
from statelab.record.columns import Integers
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """Per counter, shape `(counters,)`: acknowledged increments, unknown ones, and the values read at the end.

    `low` and `high` are the smallest and the largest value, less the initial one, of the reads that started after
    every ok increment had ended; they mean something only where `read`. `shared` increments have an unknown outcome
    (or, with `group`, an unknown server) and may belong to any counter.
    """

    acks: Integers
    unknown: Integers
    read: Mask
    low: Integers
    high: Integers
    shared: int

    @property
    def gone(self) -> Integers:
        """Acknowledged increments that a final value certainly lacks; 0 where no final value is known."""
        return np.where(self.read, np.maximum(self.acks - self.low, 0), 0)

    @property
    def over(self) -> Mask:
        """Counters that ended higher than all their increments together could make them."""
        return self.read & (self.high > self.acks + self.unknown + self.shared)

    def lost(self, violated: Mask) -> Bounds | None:
        """Lost updates over all counters; None where nothing was read at the end.

        Lower bound: acks - final, unknown outcomes taken as without effect. Upper: they all had an effect that is gone.
        A counter that was not read at the end adds nothing below and everything above, unless its numbers are those
        of a valid counter without unknown outcomes: then each update was built on the one before, and none is gone.
        """
        if not self.read.any():
            return None
        doubtful = violated | (self.unknown > 0) | (self.shared > 0)
        unread = np.where(doubtful, self.acks + self.unknown, 0)
        most = np.where(self.read, np.maximum(self.acks + self.unknown - self.low, 0), unread)
        return Bounds(min=int(self.gone.sum()), max=int(most.sum()) + self.shared)


def totals(given: Answers, told: Told) -> Totals:
    """The totals for one way of parting a history."""
    counters = len(told.first)
    unknown = np.flatnonzero(given.unknown)
    owner = told.counter_of(given.history, unknown)
    settled = given.settled[told.row]
    at, value = told.counter[settled], above(given.initial, told.value[settled])
    low = np.full(counters, np.iinfo(np.int64).max)
    high = np.full(counters, np.iinfo(np.int64).min)
    np.minimum.at(low, at, value)
    np.maximum.at(high, at, value)
    return Totals(
        acks=np.bincount(told.counter[~told.read], minlength=counters),
        unknown=np.bincount(owner[owner >= 0], minlength=counters),
        read=np.bincount(at, minlength=counters) > 0,
        low=low,
        high=high,
        shared=int(np.count_nonzero(told.group[given.increment & (given.answered | given.unknown)] < 0)),
    )
