"""The smallest piece of the history of a counter that goes both ways, and how wrong its clocks would have to be."""

from dataclasses import dataclass
from dataclasses import replace
from typing import Literal

import numpy as np

from statelab.check.kernels.forgetting import Violated
from statelab.check.kernels.forgetting import forget
from statelab.check.kernels.forgetting import minimal
from statelab.check.kernels.packing import spans
from statelab.check.kernels.search import witness
from statelab.record.columns import FAIL
from statelab.record.columns import INF
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

Kind = Literal["gap", "no-order"]

CHANGES = ("increment", "decrement")

_FEW = 64
"""Up to how many operations a witness of `crowded_out` is made minimal: each is tried alone, with a search. Of a larger
one the count is minimal, but what the operations were told may contradict a part of it already."""


@dataclass(frozen=True, slots=True)
class Witness:
    """gap: one answer is further from the initial value than others can have moved it; no-order: no order of these
    answers is possible. `slack_ns` None: it needs no clock."""

    kind: Kind
    rows: tuple[int, ...]
    slack_ns: int | None = None


def started_by_end(history: History, which: Mask) -> Integers:
    """For each row, how many of the operations `which` had started when it ended."""
    return np.searchsorted(np.sort(history.start[which]), history.end, "right")


def out_of_reach(history: History, initial: int) -> Witness | None:
    """The answer that lacks most of the other operations which it takes to get from the initial value to it."""
    found = _found(history, initial)
    step = {op: history.is_op(op) & (history.status != FAIL) for op in CHANGES}
    up, down = (started_by_end(history, step[op]) - step[op] for op in CHANGES)
    lacking = np.where(history.status == OK, np.maximum(found - up, -found - down), 0)
    if not (lacking > 0).any():
        return None
    row = int(np.argmax(lacking))
    others = step["increment" if found[row] > 0 else "decrement"]
    others[row] = False
    starts, last = np.sort(history.start[others]), abs(int(found[row])) - 1
    return Witness("gap", (row,), int(starts[last]) - int(history.end[row]) if last < len(starts) else None)


def crowded_out(history: History, initial: int, violated: Violated) -> Witness | None:
    """The answer that is within reach, but not with all that had certainly moved the other way before it.

    That takes as many more of the other operations. As few of those are in the witness as contradict it: at most one
    more than there are to spare.
    """
    spare, other = _to_spare(history, initial)
    row = int(np.argmin(np.minimum(spare, other)))
    least = int(min(spare[row], other[row]))
    if least == INF:
        return None
    back = history.is_op("decrement" if spare[row] == least else "increment")
    before = np.flatnonzero((history.status == OK) & back & (history.end < history.start[row]))
    rows = [row, *before[np.argsort(history.end[before], kind="stable")][: least + 1].tolist()]
    if len(rows) > _FEW:
        slack: int | None = _by_count(history, rows)
    else:
        rows = list(minimal(history, rows, CHANGES, violated))
        slack = _slack(forget(history, rows, CHANGES)[0], violated)
    rows.sort(key=lambda one: (history.start[one], history.end[one]))
    return Witness("no-order", tuple(rows), slack)


def _by_count(history: History, rows: list[int]) -> int:
    """After how many ns one of the operations that had ended before the first row may come after it, or one more of
    the others may come before."""
    row, before = rows[0], rows[1:]
    others = history.is_op(CHANGES[int(history.is_op(CHANGES[0])[before[0]])]) & (history.status != FAIL)
    late = history.start[others & (history.start > history.end[row])]
    nearest = int(history.start[row]) - int(history.end[before].max())
    return min(nearest, int(late.min()) - int(history.end[row])) if len(late) else nearest


def lacks(history: History, initial: int) -> bool:
    """Whether some answer is out of reach, or crowded out."""
    return any((spare < INF).any() for spare in _to_spare(history, initial))


def _to_spare(history: History, initial: int) -> tuple[Integers, Integers]:
    """For each answer how many increments beyond those that it takes had been asked for when it ended; INF where that
    is enough for the decrements that had ended before it started. And the same the other way round."""
    found, ok = _found(history, initial), history.status == OK
    step = {op: history.is_op(op) & (history.status != FAIL) for op in CHANGES}
    up, down = (started_by_end(history, step[op]) - step[op] for op in CHANGES)
    raised, lowered = (np.searchsorted(np.sort(history.end[ok & step[op]]), history.start, "left") for op in CHANGES)
    above, below = up - found, down + found
    return np.where(ok & (lowered > above), above, INF), np.where(ok & (raised > below), below, INF)


def _found(history: History, initial: int) -> Integers:
    """How far above the initial value each answered operation found the counter; cut off beyond what all can do."""
    most = len(history) + 1
    told = np.where(history.has_result, history.result, initial)
    moved = np.clip(told, max(initial - most, -INF), min(initial + most, INF)) - initial
    return moved - history.is_op("increment") + history.is_op("decrement")


def stuck_at(history: History, row: int, violated: Violated) -> Witness:
    """A minimal witness for the history whose search was stuck at a row."""
    rows = sorted(witness(history, row, CHANGES, violated), key=lambda one: (history.start[one], history.end[one]))
    return Witness("no-order", tuple(rows), _slack(forget(history, rows, CHANGES)[0], violated))


def _slack(alone: History, violated: Violated) -> int | None:
    """The least number of ns by which every answer would have to come later for the contradiction to vanish.

    Only distances from an end to a later start matter; by bisection over them.
    """
    ends = np.unique(alone.end[alone.status == OK])
    after = np.unique(np.concatenate([spans(end, alone.start[alone.start > end]) for end in ends]))
    low, high = 0, len(after)
    while low < high:
        middle = (low + high) // 2
        if violated(_later(alone, int(after[middle]))):
            low = middle + 1
        else:
            high = middle
    return int(after[low]) if low < len(after) else None


def _later(history: History, by: int) -> History:
    by = min(by, INF)
    return replace(history, end=np.where(history.end == INF, INF, np.minimum(history.end, INF - 1 - by) + by))
