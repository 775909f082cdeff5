"""The smallest witness among all defects of a history; what a witness is, counter.py says."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels import order
from statelab.check.models.counter.conditions import Examination
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.ranked import above
from statelab.record.columns import History
from statelab.record.columns import Integers

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
    most increments. Alone a gap is only an operation that breaks condition 2 or 3: if all numbers up to its own that
    somebody was told had been asked for by its end, at least as many increments had been as condition 3 counts.
    """
    if found.valid:
        return None
    rows = found.told.row
    if found.too_low.any():
        return Smallest("too-low", (int(rows[np.argmax(found.too_low)]),))
    suspects = np.flatnonzero(found.gap | (found.slack > 0))
    asked = _asked_by_end(found, suspects)
    lacking = above(found.given.initial, found.told.value[suspects]) - asked
    if (lacking > 0).any():
        worst = int(np.argmax(lacking))
        return _gap(found, int(suspects[worst]), int(asked[worst]), ())
    if events:
        event = worst_event(found.given.history, events)
        return Smallest("duplicate", (event.original, event.culprit))
    if found.slack.any():
        pair = order.worst(found.told.code, found.told.start, found.told.end, found.slack)
        return Smallest("inversion", (int(rows[pair.earlier]), int(rows[pair.later])), pair.slack_ns)
    return _gap_of_several(found, suspects, asked, lacking)


def worst_event(history: History, events: tuple[RaceEvent, ...]) -> RaceEvent:
    """The race event that rolled back most; of several the one whose pair has the shortest span."""
    original, culprit = np.array([(event.original, event.culprit) for event in events]).T
    first, last = np.minimum(history.start[original], history.start[culprit]), history.end[[original, culprit]].max(0)
    return events[int(np.lexsort((last - first, [-event.rolled_back for event in events]))[0])]


def _asked_by_end(found: Examination, places: Integers) -> Integers:
    """For each of some positions, how many increments of its counter had been asked for when it ended."""
    if not len(places):
        return np.zeros(0, np.int64)
    told = found.told
    increments = np.flatnonzero(~told.read)
    starts = found.given.history.start[told.row[increments]]
    by_end = told.started_by_end(told.counter[increments], starts, places)
    return np.add(by_end, found.unknown_by_end[places])


def _gap_of_several(found: Examination, gaps: Integers, asked: Integers, lacking: Integers) -> Smallest:
    """The operation x that too few increments can precede, with as many as it takes of those that were told more.

    Without duplicates and inversions, the increments asked for by x's end, less those told more than x shows, are
    exactly the ones that can precede x, so this finds the smallest gap there is.
    """
    told = found.told
    worst = int(np.argmax(lacking))
    x = int(gaps[worst])
    higher = (told.counter == told.counter[x]) & ~told.read & (told.value > told.value[x]) & (told.start <= told.end[x])
    others = np.flatnonzero(higher)
    latest = others[np.argsort(told.start[others], kind="stable")][lacking[worst] - 1 :]
    return _gap(found, x, int(asked[worst]), tuple(told.row[latest].tolist()))


def _gap(found: Examination, x: int, asked: int, others: tuple[int, ...]) -> Smallest:
    needed = int(found.told.value[x]) - found.given.initial
    missing = needed - asked + len(others)
    row = int(found.told.row[x])
    after = _starts_after(found, x)
    slack = int(after[missing - 1] - found.given.history.end[row]) if missing <= len(after) else None
    return Smallest("gap", (row, *others), slack, needed, asked)


def _starts_after(found: Examination, x: int) -> NDArray[np.int64]:
    """When the increments began that may belong to x's counter and were asked for after x had ended."""
    history, told = found.given.history, found.told
    rows = np.flatnonzero(found.given.increment & (found.given.answered | found.given.unknown))
    owner = told.counter_of(history, rows)
    start = history.start[rows[(owner == told.counter[x]) | (told.group[rows] < 0)]]
    return np.sort(start[start > history.end[told.row[x]]])
