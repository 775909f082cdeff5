"""Counters that are both incremented and decremented, each telling the new value: decided exactly, by search.

Here a number can come again, so the numbers force no order. But every answer says what the counter showed at one
moment. Between one answered operation and the next only operations of unknown outcome can have moved the counter, and
moving it from u to v takes at least |v - u| of them, all increments or all decrements. So a history is linearizable iff
the answered operations have an order that real time allows in which, before each of them, no more unknown increments
were needed than had started when it ended, and no more unknown decrements. (Enough: each takes the first ones to start.
Necessary: an unknown operation comes before x only if it started before x ended; moving further and back needs more of
both.) The search (kernels/search.py) tries these orders, those that need few first.

First a cheap test: no answer can be further from the initial value than the increments, or the decrements, that had
been asked for when it ended, less those that had certainly moved the counter the other way before it started. Where
the search gives up, the verdict is `unknown`.

The search sees the answered operations only. It first keeps few configurations at each moment, those that needed the
fewest unknown operations, and more only where these lead nowhere (`WIDTHS`). So both answers are exact, and `unknown`
is what is left: too many configurations at one moment, or no time.
"""

from typing import Any

import numpy as np

from statelab.check.kernels.forgetting import Violated, Witness, by_start, minimal
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.search import REFUSED, Outcome, Specification, search, slack_of, smallest
from statelab.check.kernels.words import ALL_NAMED, Cast, named
from statelab.core.errors import counted
from statelab.record.columns import FAIL, INF, INFO, OK, History, Integers, Mask

CHANGES = ("increment", "decrement")

_FEW = 64
"""Up to how many operations a witness of `crowded_out` is made minimal, with a search for each operation. Of a larger
one the count is minimal, but what its operations were told may make a part of it a violation already."""


def started_by_end(history: History, which: Mask) -> Integers:
    """For each row, how many of the operations `which` had started when it ended."""
    return np.searchsorted(np.sort(history.start[which]), history.end, "right")


def out_of_reach(history: History, initial: int) -> Witness | None:
    """A `gap`: the answer that lacks most of the operations that it takes to get there from the initial value."""
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


def crowded_out(history: History, initial: int, violated: Violated, deadline: Deadline) -> Witness | None:
    """A `no-order`: the answer that is within reach, but not after all that had certainly moved the other way before.

    For each operation that had moved the counter the other way it takes one more that moves it back. The witness has
    as few of the former as contradict the answer: at most one more than there are of the latter to spare.
    """
    spare, other = _to_spare(history, initial)
    row = int(np.argmin(np.minimum(spare, other)))
    least = int(min(spare[row], other[row]))
    if least == INF:
        return None
    forth, back = CHANGES if spare[row] == least else CHANGES[::-1]
    before = np.flatnonzero((history.status == OK) & history.is_op(back) & (history.end < history.start[row]))
    rows = [row, *before[np.argsort(history.end[before], kind="stable")][: least + 1].tolist()]
    if len(rows) > _FEW:
        # It vanishes if the last of those before may come after the row, or if one more of the others may come before.
        late = history.is_op(forth) & (history.status != FAIL) & (history.start > history.end[row])
        apart = [int(history.start[row]) - int(history.end[rows[1:]].max())]
        apart += [int(history.start[late].min()) - int(history.end[row])] if late.any() else []
        slack: int | None = min(apart)
    else:
        rows = list(minimal(history, rows, CHANGES, violated, deadline))
        slack = slack_of(history, rows, CHANGES, violated, deadline)
    return Witness("no-order", by_start(history, rows), slack, deadline.passed)


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
    """How far above the initial value each answered operation found the counter, cut off at what all of them can do."""
    most = len(history) + 1
    told = np.where(history.has_result, history.result, initial)
    moved = np.clip(told, max(initial - most, -INF), min(initial + most, INF)) - initial
    return moved - history.is_op("increment") + history.is_op("decrement")


_DELTA = {"increment": 1, "decrement": -1, "read": 0}


def words(history: History, witness: Witness, initial: int) -> str:
    """The proof of a witness."""
    cast = Cast(history, witness.rows)
    text = _gap(history, cast, initial) if witness.kind == "gap" else _no_order(history, cast, initial)
    return f"{text} {cast.introductions(named(cast.rows))}"


def _gap(history: History, cast: Cast, initial: int) -> str:
    (row,) = cast.rows
    name, by = cast.name(row), _DELTA[history.ops[history.op[row]]]
    moved = cast.value(row) - by - initial
    step = "increment" if moved > 0 else "decrement"
    found = f", so it found {cast.value(row) - by:,}" if by else ""
    asked = _asked(history, step, int(history.end[row]), cast.rows)
    return (
        f"{_told(history, cast, row)}{found}. The counter starts at {initial:,}, so that takes "
        f"{counted(abs(moved), f'other {step}' if by else step)}; {asked:,} had been asked for when {name} ended."
    )


def _no_order(history: History, cast: Cast, initial: int) -> str:
    many = len(cast.rows) > ALL_NAMED
    told = ". ".join(_told(history, cast, row) for row in named(cast.rows))
    if many:
        told = f"These are {len(cast.rows):,} operations; the first three and the last are named. {told}"
    before = "" if many else f" {precedences(history, cast)}"
    end = int(history.end[cast.rows].max())
    up, down = (_asked(history, op, end, cast.rows) for op in CHANGES)
    if up + down:
        others = f"{counted(up, 'other increment')} and {counted(down, 'other decrement')}"
        even = f"By then {others} had been asked for, but at whatever moments they took effect,"
    else:
        even = "None had been asked for by then, so"
    return (
        f"{told}.{before} The counter starts at {initial:,}, and between one of these answers and the next only other "
        f"requests can move it, each by one and once. {even} in every order that the times allow one of these answers "
        f"is wrong."
    )


def _told(history: History, cast: Cast, row: int) -> str:
    """`A read 4`, or `A incremented and was told 4`."""
    step = "" if cast.is_read(row) else f"{history.ops[history.op[row]]}ed and "
    return f"{cast.name(row)} {step}{cast.showed(row)}"


def _asked(history: History, op: str, end: int, without: list[int]) -> int:
    asked = history.is_op(op) & (history.status != FAIL) & (history.start <= end)
    asked[without] = False
    return int(np.count_nonzero(asked))


WIDTHS = (8, 64, 512)
"""How many configurations are kept at a moment, at first and then."""


def judged(history: History, initial: int, deadline: Deadline) -> Finding:
    """Whether one counter explains all answers; the history is of one key."""
    alone = out_of_reach(history, initial)
    if alone:
        return _violated(history, alone, initial)

    proving = deadline.for_proof()

    def violated(part: History) -> bool:
        return lacks(part, initial) or searched(part, initial, proving).verdict == "violated"

    crowded = crowded_out(history, initial, violated, proving)
    if crowded:
        return _violated(history, crowded, initial)
    outcome = searched(history, initial, deadline)
    if outcome.verdict == "held":
        return Finding(verdict="held", reason="one counter explains all answers")
    if outcome.stuck is None:
        of_key = f" of key {history.keys[history.key[0]]}" if len(history.keys) > 1 else ""
        done = f"{outcome.placed:,} of the {outcome.of:,} answers{of_key} fit one counter"
        return Finding(verdict="unknown", reason=f"{done}, then the search ended: {outcome.why}")
    proving = deadline.for_proof()
    return _violated(history, smallest(history, outcome.stuck, CHANGES, violated, proving), initial)


def _violated(history: History, witness: Witness, initial: int) -> Finding:
    return Finding(
        verdict="violated",
        reason="no counter that goes up and down by one can have given these answers",
        proof=witness.proof(words(history, witness, initial)),
        violated_keys=(int(history.key[0]),),
    )


def searched(history: History, initial: int, deadline: Deadline) -> Outcome:
    """The search for an order of all answered rows that needs no more unknown operations than there are.

    The state is what the answered operations that have taken effect did to the counter, so it follows from which they
    are; the cost is how many unknown increments and decrements they needed. The value is the initial one and all of
    these. Of two configurations in which the same answered operations have taken effect, the one that needed no more of
    either can do all that the other can: from its value it can first go where the other stands, which takes just as
    many as the other needed more; and it may do so later, when more have started.
    """
    unknown = history.status == INFO
    told = np.where(history.has_result, history.result, initial).tolist()
    delta = (history.is_op("increment").astype(np.int64) - history.is_op("decrement")).tolist()
    up = started_by_end(history, unknown & history.is_op("increment")).tolist()
    down = started_by_end(history, unknown & history.is_op("decrement")).tolist()

    def step(state: int, cost: tuple[int, int], row: int) -> Any:
        ups, downs = cost
        by = delta[row]
        moved = told[row] - by - initial - state - ups + downs
        if moved > 0:
            ups += moved
        elif moved:
            downs -= moved
        if ups > up[row] or downs > down[row]:
            return REFUSED
        return state + by, (ups, downs)

    counter = Specification(
        initial=0,
        step=step,
        reads=history.is_op("read"),
        costly=True,
        request=lambda row: row,
        cost=(0, 0),
        cheaper=lambda one, other: one[0] <= other[0] and one[1] <= other[1],
        price=sum,
        widths=WIDTHS,
    )
    rows = np.flatnonzero(history.status == OK)
    return search(history, rows, counter, deadline=deadline)
