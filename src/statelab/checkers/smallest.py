"""The smallest witness among all defects of a history; what a witness is, counter.py says."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statelab.checkers import order
from statelab.checkers.examination import Examination
from statelab.checkers.races import RaceEvent
from statelab.checkers.told import above
from statelab.columns import History
from statelab.columns import Integers

Kind = Literal["too-low", "gap", "duplicate", "inversion"]


@dataclass(frozen=True, slots=True)
class Smallest:
    """Rows of the witness; by how many ns clocks must be wrong for it to vanish (None: no clock is needed); and, for
    a gap, how many increments its first row needs, and how many had been asked for by its end."""

    kind: Kind
    rows: tuple[int, ...]
    slack_ns: int | None = None
    needed: int | None = None
    asked: int | None = None


def smallest(found: Examination, events: tuple[RaceEvent, ...]) -> Smallest | None:
    """A witness with the fewest operations; at equal size too-low, gap, duplicate, inversion in this order.

    Of several duplicates it is the pair of the race event that rolled back most, then the one with the shortest span;
    of several inversions the one with the largest slack, then the shortest span; of several gaps the one that lacks
    most increments.
    """
    if found.valid:
        return None
    rows = found.told.row
    if found.too_low.any():
        return Smallest("too-low", (int(rows[np.argmax(found.too_low)]),))
    asked = _asked_by_end(found)
    lacking = above(found.given.initial, found.told.value) - asked
    if (lacking > 0).any():
        return _gap(found, int(np.argmax(lacking)), asked, ())
    if events:
        event = worst_event(found.given.history, events)
        return Smallest("duplicate", (event.original, event.culprit))
    if found.slack.any():
        pair = order.worst(found.told.code, found.told.start, found.told.end, found.slack)
        return Smallest("inversion", (int(rows[pair.earlier]), int(rows[pair.later])), pair.slack_ns)
    return _gap_of_several(found, asked, lacking)


def worst_event(history: History, events: tuple[RaceEvent, ...]) -> RaceEvent:
    """The race event that rolled back most; of several the one whose pair has the shortest span."""
    original, culprit = np.array([(event.original, event.culprit) for event in events]).T
    first, last = np.minimum(history.start[original], history.start[culprit]), history.end[[original, culprit]].max(0)
    return events[int(np.lexsort((last - first, [-event.rolled_back for event in events]))[0])]


def _asked_by_end(found: Examination) -> Integers:
    """For each position, how many increments of its counter had been asked for when it ended."""
    told = found.told
    increments = np.flatnonzero(~told.read)
    starts = found.given.history.start[told.row[increments]]
    return np.add(told.started_by_end(told.counter[increments], starts), found.unknown_by_end)


def _gap_of_several(found: Examination, asked: Integers, lacking: Integers) -> Smallest:
    """The operation x that too few increments can precede, with as many as it takes of those that were told more.

    Without duplicates and inversions, the increments asked for by x's end, less those told more than x shows, are
    exactly the ones that can precede x, so this finds the smallest gap there is.
    """
    told = found.told
    candidates = np.flatnonzero(found.gap)
    x = int(candidates[np.argmax(lacking[candidates])])
    higher = (told.counter == told.counter[x]) & ~told.read & (told.value > told.value[x]) & (told.start <= told.end[x])
    others = np.flatnonzero(higher)
    latest = others[np.argsort(told.start[others], kind="stable")][lacking[x] - 1 :]
    return _gap(found, x, asked, tuple(told.row[latest].tolist()))


def _gap(found: Examination, x: int, asked: Integers, others: tuple[int, ...]) -> Smallest:
    needed = int(found.told.value[x]) - found.given.initial
    missing = needed - int(asked[x]) + len(others)
    row = int(found.told.row[x])
    after = _starts_after(found, x)
    slack = int(after[missing - 1] - found.given.history.end[row]) if missing <= len(after) else None
    return Smallest("gap", (row, *others), slack, needed, int(asked[x]))


def _starts_after(found: Examination, x: int) -> NDArray[np.int64]:
    """When the increments began that may belong to x's counter and were asked for after x had ended."""
    history, told = found.given.history, found.told
    rows = np.flatnonzero(found.given.increment & (found.given.answered | found.given.unknown))
    owner = told.counter_of(history, rows)
    start = history.start[rows[(owner == told.counter[x]) | (told.group[rows] < 0)]]
    return np.sort(start[start > history.end[told.row[x]]])
