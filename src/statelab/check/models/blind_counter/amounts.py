"""Blind counters whose increments add different amounts: decided exactly, by search, one key at a time.

With differing steps it is NP-hard whether unknown increments explain a read (subset sum), so there is no rule. The
state is the value; unknown increments are open for ever and may be left out (kernels/search.py).
"""

import numpy as np

from statelab.check.kernels.forgetting import Violated
from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import Proof
from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.search import REFUSED
from statelab.check.kernels.search import Outcome
from statelab.check.kernels.search import Specification
from statelab.check.kernels.search import search
from statelab.check.kernels.search import slack_of
from statelab.check.kernels.search import witness
from statelab.check.kernels.words import ALL_NAMED
from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import named
from statelab.check.kernels.words import plural
from statelab.record.columns import FAIL
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

CHANGES = ("increment",)


def amounts(history: History) -> Integers:
    """What each increment adds: 1 where nothing is said; 0 for reads."""
    increment = history.is_op("increment").astype(np.int64)
    if history.value is None or history.has_value is None:
        return increment
    return np.where(history.has_value & (increment > 0), history.value, increment)


def keys_with(history: History) -> Mask:
    """The keys to which somebody asked to add another amount than 1."""
    other = history.is_op("increment") & (amounts(history) != 1) & (history.status != FAIL)
    return np.bincount(history.key[other], minlength=len(history.keys)) > 0


def searched(history: History, initial: int, deadline: Deadline) -> Outcome:
    """Whether one counter explains the history of one key."""
    reads = history.is_op("read")
    added = amounts(history).tolist()
    told = np.where(history.has_result, history.result, initial).tolist()
    is_read = reads.tolist()

    def step(state: int, cost: int, row: int) -> object:
        if is_read[row]:
            return (state, cost) if told[row] == state else REFUSED
        return state + added[row], cost

    counter = Specification(
        initial=initial,
        step=step,
        reads=reads,
        request=lambda row: (is_read[row], told[row] if is_read[row] else added[row]),
    )
    rows = np.flatnonzero((history.status != FAIL) & (reads | (amounts(history) != 0)))
    return search(history, rows, counter, deadline=deadline)


def proof(history: History, stuck: int, initial: int, violated: Violated, proving: Deadline) -> Proof:
    """Of a history of one key in which the search was stuck at a row."""
    rows = sorted(
        witness(history, stuck, CHANGES, violated, proving),
        key=lambda row: (int(history.start[row]), int(history.end[row]), row),
    )
    slack = slack_of(history, rows, CHANGES, violated, proving)
    return Proof("no-order", tuple(rows), _words(history, rows, initial), slack, proving.passed)


def _words(history: History, rows: list[int], initial: int) -> str:
    cast, added = Cast(history, rows), amounts(history)
    shown = [
        cast.told(row) if cast.is_read(row) else f"{cast.name(row)} added {int(added[row]):,}"
        for row in named(cast.rows)
    ]
    many = len(cast.rows) > ALL_NAMED
    told = ". ".join(shown)
    if many:
        told = f"These are {len(cast.rows):,} operations; the first three and the last are named. {told}"
    before = "" if many or len(cast.rows) == 1 else f" {precedences(history, cast)}"
    by_then = history.is_op("increment") & (history.status != FAIL) & (history.start <= history.end[rows].max())
    by_then[rows] = False
    others = added[by_then]
    which = ""
    if len(others):
        which = (
            f" By the end of these {plural(len(others), 'other increment')} had been asked for, by "
            f"{int(others.min()):,} to {int(others.max()):,}."
        )
    return (
        f"{told}.{before} The counter starts at {initial:,}.{which} Whichever of them took effect, in every order that "
        f"the times allow a read is wrong. {cast.introductions(named(cast.rows))}"
    )
