"""Linearizability of a lock (`mutex`), decided exactly.

Promise: the lock is free at first and has one holder at a time. An acquire gets it when it is free, for its client (the
field `process`); it is not re-entrant. A release ends a hold of its own client that was asked for before the release
was: one that arrives late does not free the next hold.

An answered acquire A and what its client does next make a *hold*. Let freed(A) be the start of the first release that
the client asked for after A. What is certain, whatever became of the requests without an answer:
1. the client has the lock from the end of A, at the latest, to freed(A);
2. it has the lock at some moment between the start and the end of each answered release;
3. each answered release ends a hold of its own: by its start the client had asked for that many acquires. The other way
round, let a hold be an answered acquire with the answered release that is its client's next answer; or else with the
first release of unknown outcome before that; and let an answered release that follows no such acquire take the earliest
acquire of unknown outcome that is left. LEMMA ZONES (kernels/zones.py) lays these holds one after the other, or shows
two that contradict each other. If it can and each release found its acquire, the history is linearizable.

That is all there is to decide, with one exception: where a release got no answer and its client's next answer is that
to another release, one hold may be two, if an acquire of unknown outcome is left to begin the second (one serves once).
- Two zones contradict each other less the more holds are split. So if those that others contradict, or all, can be
  split and each finds its acquire, the history is linearizable.
- A hold for which none is left is certain as a whole. If zones contradict each other even with all others split, the
  history is violated.
- In between, and where stamps leave the order of a client's own requests open (one starts when another ends), it
  depends on which are split: kernels/search.py decides that key, exactly if it ends, and else the verdict is `unknown`.

Cost: O(n log n), one sort; where the search is needed, that too. Assumes one clock, except for 3.
"""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from statelab.check.kernels.forgetting import Witness
from statelab.check.kernels.model import Deadline, Finding, Model
from statelab.check.kernels.search import REFUSED, Outcome, Specification, search, smallest
from statelab.check.models.mutex.holds import (
    Blocks,
    Holds,
    Pairs,
    Places,
    at_least,
    contradictions,
    holds,
    plainly,
    split_at,
    unsplittable,
    without_acquire,
)
from statelab.check.models.mutex.witness import CHANGES, kinds, of_pair, of_releases, of_starved, of_whole_hold, words
from statelab.core.operation import Value
from statelab.record.columns import FAIL, OK, History, Mask
from statelab.record.shapes import Shape


def searched(history: History, deadline: Deadline) -> Outcome:
    """The search over a history of one key.

    The lock is free (None) or held by a client since it asked for it. Releases without an answer do the same if their
    client asked for nothing between them.
    """
    acquire, client = history.is_op("acquire"), history.process.tolist()
    start, takes = history.start.tolist(), acquire.tolist()
    alike, answered = _asked_before(history), (history.status == OK).tolist()

    def step(hold: tuple[int, int] | None, cost: int, row: int) -> Any:
        if takes[row]:
            return ((client[row], start[row]), cost) if hold is None else REFUSED
        return (None, cost) if hold is not None and hold[0] == client[row] and hold[1] <= start[row] else REFUSED

    def request(row: int) -> Hashable:
        if answered[row]:
            return row
        return (client[row],) if takes[row] else (client[row], alike[row])

    nothing = np.zeros(len(history), np.bool_)
    what = Specification(initial=None, step=step, reads=nothing, request=request)
    return search(history, np.flatnonzero(history.status != FAIL), what, deadline=deadline)


def _asked_before(history: History) -> list[int]:
    """For each row how many acquires of its client started no later."""
    found = holds(history)
    count = np.zeros(len(history), np.int64)
    by_start = np.lexsort((~found.acquire, found.start, found.client))
    rank = np.cumsum(found.acquire[by_start])
    count[found.row[by_start]] = (
        rank - (rank - found.acquire[by_start])[np.searchsorted(found.client[by_start], found.client[by_start], "left")]
    )
    return count.tolist()


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one lock per key explains all answers."""
    found = holds(history)
    blocks = plainly(found)
    wrong = contradictions(found, blocks)
    explained = ~_keys(found, wrong.one, np.flatnonzero(found.starved))
    if not explained.all():
        # Worth splitting are the contradicted acquires that may be two, but for keys with a pair that no split parts.
        one, other = (np.isin(places, found.may_be_two) for places in (wrong.one, wrong.other))
        contradicted = np.union1d(wrong.one[one], wrong.other[other])
        hopeless = _keys(found, wrong.one[~(one | other)])
        explained |= _explained(found, blocks, contradicted[~hopeless[found.key[contradicted]]])
    if explained.all():
        return Finding(verdict="held", reason="one lock explains all answers")
    return _Case(found, blocks, wrong, explained, deadline).finding()


def _keys(found: Holds, *places: Places) -> Mask:
    there = np.zeros(max(1, len(found.history.keys)), np.bool_)
    there[found.key[np.concatenate(places)]] = True
    return there


def _explained(found: Holds, blocks: Blocks, split: Places) -> Mask:
    """The keys that hold if these acquires, and no others, began one of two holds."""
    if not len(split):
        return np.zeros(max(1, len(found.history.keys)), np.bool_)
    wrong = contradictions(found, split_at(found, blocks, split))
    return ~_keys(found, wrong.one, without_acquire(found, split))


class _Case:
    """A history of which some keys are not explained in a simple way."""

    def __init__(self, found: Holds, blocks: Blocks, wrong: Pairs, explained: Mask, deadline: Deadline) -> None:
        self._found, self._deadline = found, deadline
        self._history = found.history
        suspects = np.union1d(wrong.one, wrong.other)
        self._pairs = contradictions(found, at_least(found, suspects, whole=False))
        self._overdrawn = np.flatnonzero(found.overdrawn)
        starved = np.flatnonzero(found.starved)
        self._starved = starved[~found.muddled[starved]] if len(starved) else starved
        self._whole = self._pairs
        self._certain = self._contradicted()
        if not (explained | self._certain).all() and len(unsplittable(found)):
            self._whole = contradictions(found, at_least(found, suspects, whole=True))
            self._certain = self._contradicted()
        undecided = ~(explained | self._certain)
        if undecided.any():
            undecided &= ~_explained(found, blocks, found.may_be_two)
        self._open = np.flatnonzero(undecided)

    def _contradicted(self) -> Mask:
        """The keys that no lock explains whatever became of the unknown operations."""
        return _keys(self._found, self._whole.one, self._overdrawn, self._starved)

    def finding(self) -> Finding:
        outcomes = {}
        for key in self._open.tolist():
            rows = np.flatnonzero(self._history.key == key)
            outcomes[key] = searched(self._history.take(rows), self._deadline).at(rows)
        stuck = [key for key, outcome in outcomes.items() if outcome.verdict == "violated"]
        violated = sorted([*np.flatnonzero(self._certain).tolist(), *stuck])
        if violated:
            self._deadline = self._deadline.for_proof()
            witness = self._witness(outcomes[stuck[0]].stuck if stuck else None)
            counts = kinds(self._found, self._pairs) | {"no-hold": len(self._overdrawn)}
            return Finding(
                verdict="violated",
                reason="no lock that has one holder at a time can have given these answers",
                proof=witness.proof(words(self._history, witness)),
                counts={word: count for word, count in counts.items() if count},
                violated_keys=tuple(violated),
                undecided=sum(outcome.verdict == "unknown" for outcome in outcomes.values()),
            )
        for key, outcome in outcomes.items():
            if outcome.verdict == "unknown":
                of_key = f" of key {self._history.keys[key]}" if len(self._history.keys) > 1 else ""
                done = f"{outcome.placed:,} of the {outcome.of:,} answers{of_key} fit one lock"
                return Finding(verdict="unknown", reason=f"{done}, then the search ended: {outcome.why}")
        return Finding(verdict="held", reason="one lock explains all answers")

    def _witness(self, stuck: int | None) -> Witness:
        """One release alone, else two operations, else as few as there are; `stuck` is the row where a search ended."""
        alone = of_releases(self._found, self._overdrawn) if len(self._overdrawn) else None
        if alone and (len(alone.rows) == 1 or not len(self._pairs)):
            return alone
        if len(self._pairs):
            return of_pair(self._found, self._pairs)
        if len(self._starved):
            given: Sequence[int] | int | None = of_starved(self._found, self._starved)
        elif len(self._whole):
            given = of_whole_hold(self._found, self._whole)
        else:
            given = stuck
        assert given is not None, "a key that is violated has a witness by rule or by search"
        return smallest(self._history, given, CHANGES, self._wrong, self._deadline)

    def _wrong(self, part: History) -> bool:
        return check(part, initial=None, deadline=self._deadline).verdict == "violated"


MODEL = Model(
    name="mutex",
    promise="a lock has one holder at a time, and only its holder releases it",
    operations={"acquire": Shape(), "release": Shape()},
    check=check,
)
