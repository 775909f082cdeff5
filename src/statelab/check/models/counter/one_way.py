"""Counters that are only incremented, or only decremented: the one is the other seen in a mirror.

Where each decrement takes one away and returns the new value v, the number -v - 1 grows by one with each: the mirrored
history, with increments for decrements, is one of a counter that starts at -initial - 1, and it is valid iff the
history is. (-v - 1 and not -v, because it is a 64-bit integer for every v that is one.) So counter.py decides both.
"""

from dataclasses import replace

import numpy as np

from statelab.check.kernels.model import Finding
from statelab.check.kernels.model import Proof
from statelab.check.models.counter.conditions import Examination
from statelab.check.models.counter.conditions import examine
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.ranked import answers
from statelab.check.models.counter.verdict import CounterVerdict
from statelab.check.models.counter.verdict import conclude
from statelab.check.models.counter.words import UP
from statelab.check.models.counter.words import Way
from statelab.check.models.counter.words import proof
from statelab.record.columns import History

_MIRRORED = {"increment": "decrement", "decrement": "increment"}


def judged(history: History, initial: int, way: Way = UP) -> Finding:
    """Whether counters that only go this way explain all answers (verdict.py). A way with another `step` says what
    clients call it."""
    up = way.by > 0
    seen, start = (history, initial) if up else (mirrored(history), ~initial)
    found = examine(answers(seen, start), seen.grouped_by("whole"))
    if found.valid:
        return Finding(verdict="held", reason="one counter explains all answers")
    verdict = conclude(found)
    told = verdict if up else replace(verdict, race_events=tuple(map(_unmirrored, verdict.race_events)))
    return Finding(
        verdict="violated",
        reason=f"no counter that {way.changes} for each {way.step} can have given these answers",
        proof=_proof(history, told, initial, way),
        counts=_counts(found),
        violated_keys=tuple(np.unique(history.key[found.told.row[found.defect]]).tolist()),
    )


def mirrored(history: History) -> History:
    """Increments for decrements and v' = -v - 1 for every result v (which is `~v`)."""
    return replace(history, ops=tuple(_MIRRORED.get(op, op) for op in history.ops), result=~history.result)


def _unmirrored(event: RaceEvent) -> RaceEvent:
    return replace(event, first=~event.first, last=~event.last)


def _proof(history: History, verdict: CounterVerdict, initial: int, way: Way) -> Proof | None:
    witness = verdict.witness
    if witness is None:
        return None
    kind = "too-high" if way.by < 0 and witness.kind == "too-low" else witness.kind
    return Proof(kind, witness.rows, proof(history, verdict, initial=initial, way=way), witness.slack_ns)


def _counts(found: Examination) -> dict[str, int]:
    counts = {
        "duplicates": int(found.duplicate.sum()),
        "inversions": int(np.count_nonzero(found.slack)),
        "gaps": int(found.nobody[found.violated].sum()),
    }
    return {word: count for word, count in counts.items() if count}
