"""The model `counter`: increments and decrements that return the new value, and reads.

A key that is only incremented, or only decremented, is decided in O(n log n) (counter/verdict.py); one that is both by
search (counter/both_ways.py), which may end `unknown` where very many operations are open at once.

One way is the mirror image of the other. Where each decrement takes one away and returns the new value v, the number
-v - 1 grows by one with each: the mirrored history, with increments for decrements, is one of a counter that starts at
-initial - 1, and it is valid iff the history is. (-v - 1 and not -v, because it is a 64-bit integer for every v that is
one.)
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import Finding
from statelab.check.kernels.model import Model
from statelab.check.kernels.model import Proof
from statelab.check.kernels.order import begins
from statelab.check.models.counter import both_ways
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.ranked import answers
from statelab.check.models.counter.verdict import CounterVerdict
from statelab.check.models.counter.verdict import Examination
from statelab.check.models.counter.verdict import conclude
from statelab.check.models.counter.verdict import examine
from statelab.check.models.counter.words import DOWN
from statelab.check.models.counter.words import UP
from statelab.check.models.counter.words import Way
from statelab.check.models.counter.words import proof
from statelab.core.operation import Value
from statelab.record.columns import FAIL
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.shapes import Shape

_MIRRORED = {"increment": "decrement", "decrement": "increment"}


def judged_one_way(history: History, initial: int, way: Way = UP) -> Finding:
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


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one counter per key explains all answers."""
    start = cast(int, initial)
    if not (history.is_op("decrement") & (history.status != FAIL)).any():
        return judged_one_way(history, start)
    return _worst(history, list(_parts(history, start, deadline)))


def _parts(history: History, initial: int, deadline: Deadline) -> Iterator[Finding]:
    """The findings of the keys that only go up, of those that only go down, and of each that goes both ways."""
    up, down = (_keys_with(history, op) for op in ("increment", "decrement"))
    for keys, way in ((~down, UP), (down & ~up, DOWN)):
        rows = np.flatnonzero(keys[history.key])
        if len(rows):
            yield _of_rows(judged_one_way(history.take(rows), initial, way), rows)
    rows = np.flatnonzero((up & down)[history.key])
    rows = rows[np.argsort(history.key[rows], kind="stable")]
    first = np.flatnonzero(begins(history.key[rows].astype(np.int64)))
    for of_key in np.split(rows, first[1:]) if len(rows) else []:
        yield _of_rows(both_ways.judged(history.take(of_key), initial, deadline), of_key)


def _keys_with(history: History, op: str) -> Mask:
    asked = history.is_op(op) & (history.status != FAIL)
    return np.bincount(history.key[asked], minlength=len(history.keys)) > 0


def _of_rows(found: Finding, rows: Integers) -> Finding:
    """The finding of a part of a history, its proof in rows of the whole."""
    if found.proof is None:
        return found
    return replace(found, proof=replace(found.proof, rows=tuple(rows[list(found.proof.rows)].tolist())))


def _worst(history: History, findings: list[Finding]) -> Finding:
    """One violated part and all are; one unknown and they are not held."""
    violated = [finding for finding in findings if finding.proof]
    if not violated:
        return next((finding for finding in findings if finding.verdict == "unknown"), findings[0])
    counts = sum((Counter(finding.counts) for finding in violated), Counter[str]())
    keys = sorted(key for finding in violated for key in finding.violated_keys)
    smallest = min(violated, key=lambda finding: _size(history, finding.proof))
    return replace(smallest, counts=dict(counts), violated_keys=tuple(keys))


def _size(history: History, proof: Proof | None) -> tuple[int, float, int]:
    """Fewest operations, then the largest slack, then the shortest span."""
    assert proof is not None
    rows = list(proof.rows)
    slack = float("inf") if proof.slack_ns is None else proof.slack_ns
    return len(rows), -slack, int(history.end[rows].max()) - int(history.start[rows].min())


MODEL = Model(
    name="counter",
    promise="each increment adds one, each decrement takes one away, both return the new value, and each read returns "
    "the value of its moment",
    operations={
        "increment": Shape(result="integer"),
        "decrement": Shape(result="integer"),
        "read": Shape(result="integer", nothing=frozenset({"result"}), changes=False),
    },
    check=check,
    initial=0,
    initial_kind="integer",
)
