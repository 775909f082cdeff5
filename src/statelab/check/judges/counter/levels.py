"""A history parted by host, process, thread, ...: what each part would say if it had a counter of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from statelab.check.models.counter.ranked import Answers
from statelab.check.models.counter.verdict import Examination
from statelab.check.models.counter.verdict import Totals
from statelab.check.models.counter.verdict import examine
from statelab.check.models.counter.verdict import totals
from statelab.core.results import Bounds
from statelab.record.columns import LEVELS
from statelab.record.columns import Integers
from statelab.record.columns import Level


@dataclass(frozen=True, slots=True, eq=False)
class Parting:
    """The history with a counter of its own for every host, or every process, ...: `group` has that of each row."""

    level: Level
    group: Integers
    found: Examination
    totals: Totals

    @property
    def lost(self) -> Bounds | None:
        return self.totals.lost(self.found.violated)


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """Rows of the reads during which no acknowledged increment was under way, and how many had ended before each."""

    rows: NDArray[np.intp]
    epoch: Integers


def _quiet(given: Answers) -> Quiet:
    history, increments = given.history, given.answered & given.increment
    rows = np.flatnonzero(given.answered & ~given.increment)
    ended = np.searchsorted(np.sort(history.end[increments]), history.start[rows], "left")
    begun = np.searchsorted(np.sort(history.start[increments]), history.end[rows], "right")
    return Quiet(rows[ended == begun], ended[ended == begun])


class Partings:
    """The partings of one history from coarse to fine, each examined when it is first asked for.

    Without a server for every answered operation there is only the whole.
    """

    def __init__(self, given: Answers) -> None:
        self.given = given
        self._known: dict[Level, Parting] = {}

    @cached_property
    def quiet(self) -> Quiet:
        return _quiet(self.given)

    def __iter__(self) -> Iterator[Parting]:
        everyone = bool((self.given.history.served_by[self.given.answered] > 0).all())
        return (self.at(level) for level in (LEVELS if everyone else LEVELS[:1]))

    def at(self, level: Level) -> Parting:
        if level not in self._known:
            self._known[level] = self._part(level)
        return self._known[level]

    def _part(self, level: Level) -> Parting:
        group = self.given.history.grouped_by(level)
        for known in self._known.values():
            if np.array_equal(known.group, group):
                return Parting(level, group, known.found, known.totals)
        found = examine(self.given, group)
        return Parting(level, group, found, totals(self.given, found.told))
