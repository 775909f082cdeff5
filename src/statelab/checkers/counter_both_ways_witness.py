"""The smallest piece of the history of a counter that goes both ways, and how wrong its clocks would have to be."""

from dataclasses import dataclass
from dataclasses import replace
from typing import Literal

import numpy as np

from statelab.checkers.forgetting import Violated
from statelab.checkers.forgetting import forget
from statelab.checkers.packing import spans
from statelab.checkers.search import witness
from statelab.columns import FAIL
from statelab.columns import INF
from statelab.columns import OK
from statelab.columns import History
from statelab.columns import Integers
from statelab.columns import Mask

Kind = Literal["gap", "no-order"]

CHANGES = ("increment", "decrement")


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
