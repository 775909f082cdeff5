"""Counters that are both incremented and decremented, each telling the new value: decided exactly, by search.

Numbers come again here, so nothing forces their order. But every answer says what the counter showed at one moment:
between one answered operation and the next the counter can only have moved by what operations of unknown outcome did,
and moving it from u to v takes at least |v - u| of them, all increments or all decrements. So a history is linearizable
iff the answered operations have an order that real time allows, in which before each of them no more unknown increments
have been needed than had started when it ended, and no more unknown decrements. (Enough: each takes the first ones to
start. Necessary: an unknown operation comes before x only if it started before x ended; moving further and back needs
more of both.) The search (see search.py) tries these orders; its state is (value, increments needed, decrements
needed). An unknown operation costs it nothing, and concurrency bounds what it keeps.

First a cheap test: no answer can be further from the initial value than the increments, or the decrements, that had
been asked for when it ended. Where the search gives up, the verdict is `unknown`.
"""

from typing import Any

import numpy as np

from statelab.checkers.counter_both_ways_witness import Witness
from statelab.checkers.counter_both_ways_witness import out_of_reach
from statelab.checkers.counter_both_ways_witness import started_by_end
from statelab.checkers.counter_both_ways_witness import stuck_at
from statelab.checkers.counter_both_ways_words import words
from statelab.checkers.model import Deadline
from statelab.checkers.model import Finding
from statelab.checkers.model import Proof
from statelab.checkers.search import REFUSED
from statelab.checkers.search import Outcome
from statelab.checkers.search import Specification
from statelab.checkers.search import search
from statelab.columns import INFO
from statelab.columns import OK
from statelab.columns import History

_State = tuple[int, int, int]


def judged(history: History, initial: int, deadline: Deadline) -> Finding:
    """Whether one counter explains all answers; the history is of one key."""
    alone = out_of_reach(history, initial)
    if alone:
        return _violated(history, alone, initial)
    outcome = searched(history, initial, deadline)
    if outcome.verdict == "held":
        return Finding(verdict="held", reason="one counter explains all answers")
    if outcome.stuck is None:
        of_key = f" of key {history.keys[history.key[0]]}" if len(history.keys) > 1 else ""
        done = f"{outcome.placed:,} of the {outcome.of:,} answers{of_key} fit one counter"
        return Finding(verdict="unknown", reason=f"{done}, then the search ended: {outcome.why}")

    def violated(part: History) -> bool:
        return searched(part, initial, deadline).verdict == "violated"

    return _violated(history, stuck_at(history, outcome.stuck, violated), initial)


def _violated(history: History, witness: Witness, initial: int) -> Finding:
    return Finding(
        verdict="violated",
        reason="no counter that goes up and down by one can have given these answers",
        proof=Proof(witness.kind, witness.rows, words(history, witness, initial), witness.slack_ns),
        violated_keys=(int(history.key[0]),),
    )


def searched(history: History, initial: int, deadline: Deadline) -> Outcome:
    """The search over all answered rows."""
    return search(history, np.flatnonzero(history.status == OK), _counter(history, initial), deadline=deadline)


def _counter(history: History, initial: int) -> Specification:
    told = np.where(history.has_result, history.result, initial).tolist()
    delta = (history.is_op("increment").astype(np.int64) - history.is_op("decrement")).tolist()
    unknown = history.status == INFO
    up = started_by_end(history, unknown & history.is_op("increment")).tolist()
    down = started_by_end(history, unknown & history.is_op("decrement")).tolist()

    def step(state: _State, row: int) -> Any:
        value, ups, downs = state
        moved = told[row] - delta[row] - value
        ups, downs = ups + max(moved, 0), downs + max(-moved, 0)
        return (told[row], ups, downs) if ups <= up[row] and downs <= down[row] else REFUSED

    no_plain_read = np.zeros(len(history), np.bool_)  # one may need unknown operations, and so change the state
    return Specification(initial=(initial, 0, 0), step=step, reads=no_plain_read, request=history.op.__getitem__)
