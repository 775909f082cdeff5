"""Linearizability of queues: `enqueue` and `dequeue`, first in first out (`queue`) or in any order (`unordered-queue`).

Promise: what was enqueued is dequeued once at most, the oldest first (in any order), and a dequeue finds nothing only
when there is nothing. An `enqueue` of unknown outcome may put its value in later, or never; such a `dequeue` may take
what is the oldest (anything) at some moment after its start, or never.

Where no value is enqueued to a key twice, the history of the key is linearizable iff
1. every value that was dequeued had been asked to be enqueued when its dequeue ended;
2. no value was dequeued twice;
3. (`queue`) nothing was dequeued that came before something else and was dequeued after it;
4. no dequeue found nothing while the times at which something was certainly there cover all of its time;
5. what nobody dequeued, and must have been gone before a moment (something later was dequeued by then, or nothing was
   found), was taken by an unknown dequeue that had started by then; each takes one.

Why this is exact. For histories in which every outcome is known 1 to 4 are the violations of Henzinger, Sezgin and
Vafeiadis 2013, "Aspect-Oriented Linearizability Proofs", section 3 (VFresh, VRepet, VOrd, VWit), of which they prove
that there are no others. An enqueue of unknown outcome took effect if its value was dequeued, and then has no end; else
it loses nothing by being left out. An unknown dequeue has no end either, so all that 3 asks of it is to have started by
the deadline of the element that it takes: a matching, which the earliest deadline first finds (5). What 4 asks depends
on which takes which. With the matching that was found all may fit: then it does. If no choice can help, because 4 is
violated by elements that a known dequeue took, it does not. Else the search decides (kernels/search.py), as for keys
to which a value is enqueued twice; it may end `unknown`. With repeats, too, a value must not be dequeued more often
than it was asked to be enqueued (2), nor before the first time (1).

Cost: O(n log n); the search is exponential in the number of elements whose order is open at worst. Assumes one clock,
except for 2 and values that nobody enqueued.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model
from statelab.check.kernels.search import Outcome, smallest
from statelab.check.models.queue.rule import Judgement, judge
from statelab.check.models.queue.search import searched
from statelab.check.models.queue.witness import CHANGES, of_rule, words
from statelab.core.operation import Value
from statelab.record.columns import History
from statelab.record.shapes import Shape


def check(history: History, *, initial: Value | None, deadline: Deadline, ordered: bool) -> Finding:
    """Whether one queue per key, empty at first, explains all answers."""
    judged, outcomes = _decided(history, ordered, deadline)
    stuck = {key: outcome.stuck for key, outcome in outcomes.items() if outcome.stuck is not None}
    undecided = [key for key, outcome in outcomes.items() if outcome.verdict == "unknown"]
    if not judged.wrong.any() and not stuck:
        if undecided:
            outcome = outcomes[undecided[0]]
            done = f"{outcome.placed:,} of the {outcome.of:,} answers of key {history.keys[undecided[0]]!r}"
            return Finding(verdict="unknown", reason=f"{done} fit one queue, then the search ended: {outcome.why}")
        return Finding(verdict="held", reason="one queue explains all answers")
    proving = deadline.for_proof()

    def violated(part: History) -> bool:
        judged, outcomes = _decided(part, ordered, proving)
        return bool(judged.wrong.any()) or any(outcome.stuck is not None for outcome in outcomes.values())

    if judged.wrong.any():
        witness = of_rule(history, judged, violated, proving)
    else:
        witness = smallest(history, next(iter(stuck.values())), CHANGES, violated, proving)
    return Finding(
        verdict="violated",
        reason="no queue can have given these answers",
        proof=witness.proof(words(history, witness)),
        counts=_counts(history, judged),
        violated_keys=tuple(sorted({*np.flatnonzero(judged.wrong).tolist(), *stuck})),
        undecided=len(undecided),
    )


def _decided(history: History, ordered: bool, deadline: Deadline) -> tuple[Judgement, dict[int, Outcome]]:
    """What the rule says of all keys, and the search of those that it leaves open."""
    judged = judge(history, ordered=ordered)
    keys: Iterable[int] = np.flatnonzero(judged.open).tolist()
    rows = np.argsort(history.key, kind="stable")
    bounds = np.searchsorted(history.key[rows], np.arange(len(history.keys) + 1))
    parts = {key: np.sort(rows[bounds[key] : bounds[key + 1]]) for key in keys}
    return judged, {
        key: searched(history.take(own), np.arange(len(own)), ordered, deadline).at(own) for key, own in parts.items()
    }


def _counts(history: History, judged: Judgement) -> dict[str, int]:
    elements = judged.elements
    empty = int(np.count_nonzero(~history.has_result[judged.by[judged.overtaken]]))
    counts = {
        "never-enqueued": len(judged.early),
        "duplicated": int((elements.taken - np.maximum(elements.asked, 1))[judged.twice].sum()),
        "out-of-order": len(judged.overtaken) - empty,
        "lost": len(judged.lost),
        "false-empty": empty + len(judged.covered),
    }
    return {word: count for word, count in counts.items() if count}


MODEL = Model(
    name="queue",
    promise="what was enqueued is dequeued once at most, the oldest first, and only an empty queue has nothing",
    operations={
        "enqueue": Shape(value="value"),
        "dequeue": Shape(result="value", nothing=frozenset({"result"})),
    },
    check=partial(check, ordered=True),
)

UNORDERED = replace(
    MODEL,
    name="unordered-queue",
    promise="what was enqueued is dequeued once at most, in any order, and only an empty queue has nothing",
    check=partial(check, ordered=False),
)
