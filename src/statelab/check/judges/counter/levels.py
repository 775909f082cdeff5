"""A history split by host, process, thread, ...: the checker's findings if each part had a counter of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels.levels import LEVELS, Level, grouped_by
from statelab.check.models.counter.ranked import Answers
from statelab.check.models.counter.verdict import Defects, Totals, find_defects, totals
from statelab.core.results import Bounds
from statelab.record.columns import Integers


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The findings if each host (or process, ...) had a counter of its own; `group` is the part of each row."""

    level: Level
    group: Integers
    found: Defects
    totals: Totals

    @property
    def lost(self) -> Bounds | None:
        return self.totals.lost(self.found.violated)


@dataclass(frozen=True, slots=True, eq=False)
class Quiet:
    """Rows of the reads during which no acknowledged increment was under way, and how many had ended before each."""

    rows: NDArray[np.intp]
    epoch: Integers


class Levels:
    """The splits of one history, coarsest first; each is checked when it is first asked for.

    If some answered operation names no server, there is only the whole.
    """

    def __init__(self, given: Answers) -> None:
        self.given = given
        self._known: dict[Level, Split] = {}

    @cached_property
    def quiet(self) -> Quiet:
        history, increments = self.given.history, self.given.answered & self.given.increment
        rows = np.flatnonzero(self.given.answered & ~self.given.increment)
        ended = np.searchsorted(np.sort(history.end[increments]), history.start[rows], "left")
        begun = np.searchsorted(np.sort(history.start[increments]), history.end[rows], "right")
        return Quiet(rows[ended == begun], ended[ended == begun])

    def __iter__(self) -> Iterator[Split]:
        everyone = bool((self.given.history.served_by[self.given.answered] > 0).all())
        return (self.at(level) for level in (LEVELS if everyone else LEVELS[:1]))

    def at(self, level: Level) -> Split:
        if level not in self._known:
            group = grouped_by(self.given.history, level)
            alike = next((known for known in self._known.values() if np.array_equal(known.group, group)), None)
            if alike:
                self._known[level] = Split(level, group, alike.found, alike.totals)
            else:
                found = find_defects(self.given, group)
                self._known[level] = Split(level, group, found, totals(self.given, found.by_number))
        return self._known[level]
