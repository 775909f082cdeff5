"""The model `counter`: increments and decrements that return the new value, and reads.

A key that is only incremented, or only decremented, is decided in O(n log n) (counter/verdict.py); one that is both by
search (counter/both_ways.py), which may end `unknown` where very many operations are open at once. So is one whose
operations carry another amount than 1 (kernels/amounts.py).

One way is the mirror image of the other. Where each decrement takes one away and returns the new value v, the number
-v - 1 grows by one with each: the mirrored history, with increments for decrements, is one of a counter that starts at
-initial - 1, and it is valid iff the history is. (-v - 1 and not -v, because it is a 64-bit integer for every v that is
one.)
"""

from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np

from statelab.check.kernels.amounts import keys_with
from statelab.check.kernels.amounts import parts as parts_with
from statelab.check.kernels.apart import Part, judged_apart, of_each_key
from statelab.check.kernels.levels import grouped_by
from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.models.counter import both_ways
from statelab.check.models.counter.ranked import answers
from statelab.check.models.counter.verdict import conclude, find_defects
from statelab.check.models.counter.words import DOWN, UP, Way, proof
from statelab.core.operation import Value
from statelab.record.columns import FAIL, History
from statelab.record.shapes import Shape

_MIRRORED = {"increment": "decrement", "decrement": "increment"}


def judged_one_way(history: History, initial: int, way: Way = UP) -> Finding:
    """Whether counters that only go this way explain all answers. A way with another `step` says what clients call it.

    A counter that only goes down is judged as its mirror image, and what was found is mirrored back for the words.
    """
    up = way.by > 0
    seen, start = (history, initial) if up else (mirrored(history), ~initial)
    found = find_defects(answers(seen, start), grouped_by(seen, "whole"))
    if found.valid:
        return Finding(verdict="held", reason="one counter explains all answers")
    verdict = conclude(found)
    witness = verdict.witness
    assert witness is not None, "a history that breaks a condition has a witness"
    if not up:
        events = tuple(replace(event, first=~event.first, last=~event.last) for event in verdict.race_events)
        verdict = replace(verdict, race_events=events)
    kind = "too-high" if not up and witness.kind == "too-low" else witness.kind
    counts = {
        "duplicates": verdict.duplicates,
        "inversions": verdict.inversions,
        "gaps": int(found.nobody[found.violated].sum()),
    }
    return Finding(
        verdict="violated",
        reason=f"no counter that {way.changes} for each {way.step} can have given these answers",
        proof=Proof(kind, witness.rows, proof(history, verdict, initial=initial, way=way), witness.slack_ns),
        counts={word: count for word, count in counts.items() if count},
        violated_keys=tuple(np.unique(history.key[found.by_number.row[found.defect]]).tolist()),
    )


def mirrored(history: History) -> History:
    """Increments for decrements and v' = -v - 1 for every result v (which is `~v`)."""
    return replace(history, ops=tuple(_MIRRORED.get(op, op) for op in history.ops), result=~history.result)


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one counter per key explains all answers."""
    start = cast(int, initial)
    amounts = keys_with(history)
    if not amounts.any() and not (history.is_op("decrement") & (history.status != FAIL)).any():
        return judged_one_way(history, start)
    asked = (history.is_op(op) & (history.status != FAIL) for op in ("increment", "decrement"))
    up, down = (np.bincount(history.key[some], minlength=len(history.keys)) > 0 for some in asked)
    parts: list[Part] = []
    for keys, way in ((~down & ~amounts, UP), (down & ~up & ~amounts, DOWN)):
        rows = np.flatnonzero(keys[history.key])
        if len(rows):
            parts.append((rows, partial(judged_one_way, initial=start, way=way)))
    both = partial(both_ways.judged, initial=start, deadline=deadline)
    parts += [(rows, both) for rows in of_each_key(history, up & down & ~amounts)]
    return judged_apart(history, [*parts, *parts_with(history, amounts, start, deadline)])


_CHANGE = Shape(value="integer", optional=frozenset({"value"}), result="integer")

MODEL = Model(
    name="counter",
    promise="each increment adds its amount, each decrement takes it away, both return the new value, and each read "
    "returns the value of its moment",
    operations={
        "increment": _CHANGE,
        "decrement": _CHANGE,
        "read": Shape(result="integer", nothing=frozenset({"result"}), changes=False),
    },
    check=check,
    initial=0,
    initial_kind="integer",
)
