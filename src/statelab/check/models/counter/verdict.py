"""Linearizability of a shared counter whose increment returns the new value (fetch-and-add), decided exactly.

A history of such a counter is linearizable iff, on each key,
1. no increment was told a number <= the initial one (no read one below it), and no number was told to two increments;
2. LEMMA ORDER holds with rank 2v for an increment told v and 2v + 1 for a read of v;
3. for every answered operation x that shows v, the numbers <= v that nobody was told are not more than the increments
   of unknown outcome that had started when x ended (Hall's condition: deadlines only grow with the number, so if
   each prefix of the missing numbers finds enough of them, the greedy matching gives every number one of its own).
Unknown increments that are not needed come last, or never. O(n log n), one sort; checked against exhaustive search in
tests/check/models/test_counter_against_oracle.py.

What a WITNESS is. Dropping operations from a valid history leaves numbers that nobody was told, so a sub-history
needs its context. The rule here: operations outside the witness are kept as increments whose answers are forgotten -
each may have been told anything and may take effect at any time after its own start, or never; reads outside are
dropped. A set of operations is a witness if even so no order exists (`refutes`). `check` returns one with the fewest
operations, from which therefore none can be left out:
- too-low: one increment told a number that is not above the initial value, or one read below it;
- gap: one operation that shows v before v increments had even been asked for, or with it the increments that were
  told higher numbers and so cannot be among those v;
- duplicate: two increments told the same number;
- inversion: two operations, one of which had ended before the other started although its number is higher.

From top to bottom: `find_defects` finds every operation that breaks one of the three conditions; `totals` counts the
acknowledged increments that the final reads lack; `smallest` picks the witness; `check` puts them together.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from statelab.check.kernels import order
from statelab.check.kernels.levels import grouped_by
from statelab.check.models.counter.race_events import RaceEvent, race_events
from statelab.check.models.counter.ranked import Answers, RankedAnswers, above, answers, ranked
from statelab.core.results import Bounds
from statelab.record.columns import INF, INFO, OK, History, Integers, Mask


@dataclass(frozen=True, slots=True, eq=False)
class Defects:
    """Operations that break a condition, by position of `by_number`, shape `(answered,)`.

    `violated` and `nobody` are by counter.

    `slack` is by how many ns an operation ended too early for its rank (0: it did not), `gap` marks one that shows a
    value which needs more increments than there were; `nobody[c]` counts the numbers up to the counter's highest that
    nobody was told.
    """

    given: Answers
    by_number: RankedAnswers
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
        return np.bincount(self.by_number.counter[self.defect], minlength=len(self.by_number.first)) > 0


def find_defects(given: Answers, group: Integers) -> Defects:
    """Decides every counter of every group at once. O(n log n).

    A row with group -1 may belong to any group: its increment then counts as one of unknown outcome in each of them,
    which can hide a violation but never make one; its read is left out.
    """
    by_number = ranked(given, group)
    value, read = above(given.initial, by_number.value), by_number.read
    # For each position, how many different numbers its counter's increments were told up to its own.
    distinct: Integers = np.cumsum(by_number.new & ~read)
    before = np.concatenate(([0], distinct[by_number.first[1:] - 1])) if len(distinct) else distinct
    distinct -= by_number.each(before)
    unknown_by_end = _unknown_by_end(given, by_number)
    last = np.append(by_number.first[1:], len(value)) - 1 if len(value) else by_number.first
    return Defects(
        given=given,
        by_number=by_number,
        unknown_by_end=unknown_by_end,
        too_low=value < ~read,  # a read may show 0, an increment 1
        duplicate=~by_number.new & ~read,
        gap=value - distinct > unknown_by_end,
        slack=order.slack(by_number.code, by_number.start, by_number.end),
        nobody=np.maximum(value[last] - distinct[last], 0),
    )


def _unknown_by_end(given: Answers, by_number: RankedAnswers) -> Integers:
    """For each position, how many increments of unknown outcome had started when it ended."""
    history, group = given.history, by_number.group
    own = np.flatnonzero(given.unknown & (group >= 0))
    owner = by_number.counter_of(history, own)
    count = by_number.started_by_end(owner[owner >= 0], history.start[own[owner >= 0]])
    shared = history.start[given.increment & (given.unknown | given.answered) & (group < 0)]
    if len(shared):
        count = count + np.searchsorted(np.sort(shared), history.end[by_number.row], "right")
    return count


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


def totals(given: Answers, by_number: RankedAnswers) -> Totals:
    """The totals for one way of parting a history."""
    counters = len(by_number.first)
    unknown = np.flatnonzero(given.unknown)
    owner = by_number.counter_of(given.history, unknown)
    settled = given.settled[by_number.row]
    at, value = by_number.counter[settled], above(given.initial, by_number.value[settled])
    low = np.full(counters, np.iinfo(np.int64).max)
    high = np.full(counters, np.iinfo(np.int64).min)
    np.minimum.at(low, at, value)
    np.maximum.at(high, at, value)
    return Totals(
        acks=np.bincount(by_number.counter[~by_number.read], minlength=counters),
        unknown=np.bincount(owner[owner >= 0], minlength=counters),
        read=np.bincount(at, minlength=counters) > 0,
        low=low,
        high=high,
        shared=int(np.count_nonzero(by_number.group[given.increment & (given.answered | given.unknown)] < 0)),
    )


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


def smallest(found: Defects, events: tuple[RaceEvent, ...]) -> Smallest | None:
    """A witness with the fewest operations; at equal size too-low, gap, duplicate, inversion in this order.

    Of several duplicates it is the pair of the race event that rolled back most, then the one with the shortest span;
    of several inversions the one with the largest slack, then the shortest span; of several gaps the one that lacks
    most increments. Alone a gap is only an operation that breaks condition 2 or 3: if all numbers up to its own that
    somebody was told had been asked for by its end, at least as many increments had been as condition 3 counts.
    """
    if found.valid:
        return None
    rows = found.by_number.row
    if found.too_low.any():
        return Smallest("too-low", (int(rows[np.argmax(found.too_low)]),))
    suspects = np.flatnonzero(found.gap | (found.slack > 0))
    asked = _asked_by_end(found, suspects)
    lacking = above(found.given.initial, found.by_number.value[suspects]) - asked
    if (lacking > 0).any():
        worst = int(np.argmax(lacking))
        return _gap(found, int(suspects[worst]), int(asked[worst]), ())
    if events:
        event = worst_event(found.given.history, events)
        return Smallest("duplicate", (event.original, event.culprit))
    if found.slack.any():
        pair = order.worst(found.by_number.code, found.by_number.start, found.by_number.end, found.slack)
        return Smallest("inversion", (int(rows[pair.earlier]), int(rows[pair.later])), pair.slack_ns)
    return _gap_of_several(found, suspects, asked, lacking)


def worst_event(history: History, events: tuple[RaceEvent, ...]) -> RaceEvent:
    """The race event that rolled back most; of several the one whose pair has the shortest span."""
    original, culprit = np.array([(event.original, event.culprit) for event in events]).T
    first, last = np.minimum(history.start[original], history.start[culprit]), history.end[[original, culprit]].max(0)
    return events[int(np.lexsort((last - first, [-event.rolled_back for event in events]))[0])]


def _asked_by_end(found: Defects, places: Integers) -> Integers:
    """For each of some positions, how many increments of its counter had been asked for when it ended."""
    if not len(places):
        return np.zeros(0, np.int64)
    by_number = found.by_number
    increments = np.flatnonzero(~by_number.read)
    starts = found.given.history.start[by_number.row[increments]]
    by_end = by_number.started_by_end(by_number.counter[increments], starts, places)
    return np.add(by_end, found.unknown_by_end[places])


def _gap_of_several(found: Defects, gaps: Integers, asked: Integers, lacking: Integers) -> Smallest:
    """The operation x that too few increments can precede, with as many as it takes of those that were told more.

    Without duplicates and inversions, the increments asked for by x's end, less those told more than x shows, are
    exactly the ones that can precede x, so this finds the smallest gap there is.
    """
    by_number = found.by_number
    worst = int(np.argmax(lacking))
    x = int(gaps[worst])
    higher = (
        (by_number.counter == by_number.counter[x])
        & ~by_number.read
        & (by_number.value > by_number.value[x])
        & (by_number.start <= by_number.end[x])
    )
    others = np.flatnonzero(higher)
    latest = others[np.argsort(by_number.start[others], kind="stable")][lacking[worst] - 1 :]
    return _gap(found, x, int(asked[worst]), tuple(by_number.row[latest].tolist()))


def _gap(found: Defects, x: int, asked: int, others: tuple[int, ...]) -> Smallest:
    history, by_number = found.given.history, found.by_number
    needed = int(by_number.value[x]) - found.given.initial
    missing = needed - asked + len(others)
    row, end = int(by_number.row[x]), history.end[by_number.row[x]]
    # The starts, after the end of x, of the increments that may belong to x's counter.
    rows = np.flatnonzero(found.given.increment & (found.given.answered | found.given.unknown))
    mine = (by_number.counter_of(history, rows) == by_number.counter[x]) | (by_number.group[rows] < 0)
    start = history.start[rows[mine]]
    after = np.sort(start[start > end])
    slack = int(after[missing - 1] - end) if missing <= len(after) else None
    return Smallest("gap", (row, *others), slack, needed, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterVerdict:
    """What a counter's history shows. Row numbers are those of the history.

    `lost` bounds the acknowledged increments that the final reads lack (None: nothing was read after the last ok
    increment had ended); `duplicates` are answers beyond one per number, `inversions` operations that ended too early
    for their number, `gaps` numbers up to the highest that nobody was told.
    """

    verdict: Literal["held", "violated"]
    witness: Smallest | None
    lost: Bounds | None
    duplicates: int
    inversions: int
    gaps: int
    race_events: tuple[RaceEvent, ...]


def check(history: History, *, initial: int = 0) -> CounterVerdict:
    """Whether increments and reads fit one counter per key that starts at `initial`; if not, the smallest proof.

    Raises ValueError where the history has other operations, or an ok increment without a result.
    """
    return conclude(find_defects(answers(history, initial), grouped_by(history, "whole")))


def conclude(found: Defects) -> CounterVerdict:
    """The verdict over all counters."""
    events = race_events(found.by_number) if found.duplicate.any() else ()
    return CounterVerdict(
        verdict="held" if found.valid else "violated",
        witness=smallest(found, events),
        lost=totals(found.given, found.by_number).lost(found.violated),
        duplicates=int(found.duplicate.sum()),
        inversions=int(np.count_nonzero(found.slack)),
        gaps=int(found.nobody.sum()),
        race_events=events,
    )


def refutes(history: History, rows: tuple[int, ...], *, initial: int = 0) -> bool:
    """Whether these rows alone are a violation: no order exists even if every other answer is forgotten."""
    inside = np.zeros(len(history), np.bool_)
    inside[list(rows)] = True
    forgotten = ~inside & history.is_op("increment") & (history.status == OK)
    context = replace(
        history,
        status=np.where(forgotten, INFO, history.status).astype(np.int8),
        end=np.where(forgotten, INF, history.end),
        has_result=history.has_result & ~forgotten,
    ).take(inside | history.is_op("increment"))
    return not find_defects(answers(context, initial), grouped_by(context, "whole")).valid
