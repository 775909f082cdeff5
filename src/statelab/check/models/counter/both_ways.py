"""Counters that are both incremented and decremented, each telling the new value: decided exactly, by search.

Numbers come again here, so nothing forces their order. But every answer says what the counter showed at one moment:
between one answered operation and the next the counter can only have moved by what operations of unknown outcome did,
and moving it from u to v takes at least |v - u| of them, all increments or all decrements. So a history is linearizable
iff the answered operations have an order that real time allows, in which before each of them no more unknown increments
have been needed than had started when it ended, and no more unknown decrements. (Enough: each takes the first ones to
start. Necessary: an unknown operation comes before x only if it started before x ended; moving further and back needs
more of both.) The search (both_ways_search.py) tries these orders, those that need few first.

First a cheap test: no answer can be further from the initial value than the increments, or the decrements, that had
been asked for when it ended, less those that had certainly moved the counter the other way before it started. Where
the search gives up, the verdict is `unknown`.
"""

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import Finding
from statelab.check.kernels.model import Proof
from statelab.check.kernels.search import Outcome
from statelab.check.models.counter.both_ways_search import Orders
from statelab.check.models.counter.both_ways_search import searched as search_orders
from statelab.check.models.counter.both_ways_witness import Witness
from statelab.check.models.counter.both_ways_witness import crowded_out
from statelab.check.models.counter.both_ways_witness import lacks
from statelab.check.models.counter.both_ways_witness import out_of_reach
from statelab.check.models.counter.both_ways_witness import started_by_end
from statelab.check.models.counter.both_ways_witness import stuck_at
from statelab.check.models.counter.both_ways_words import words
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History


def judged(history: History, initial: int, deadline: Deadline) -> Finding:
    """Whether one counter explains all answers; the history is of one key."""
    alone = out_of_reach(history, initial)
    if alone:
        return _violated(history, alone, initial)

    def violated(part: History) -> bool:
        return lacks(part, initial) or searched(part, initial, deadline).verdict == "violated"

    crowded = crowded_out(history, initial, violated)
    if crowded:
        return _violated(history, crowded, initial)
    outcome = searched(history, initial, deadline)
    if outcome.verdict == "held":
        return Finding(verdict="held", reason="one counter explains all answers")
    if outcome.stuck is None:
        of_key = f" of key {history.keys[history.key[0]]}" if len(history.keys) > 1 else ""
        done = f"{outcome.placed:,} of the {outcome.of:,} answers{of_key} fit one counter"
        return Finding(verdict="unknown", reason=f"{done}, then the search ended: {outcome.why}")
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
    unknown = history.status == INFO
    orders = Orders(
        initial=initial,
        told=np.where(history.has_result, history.result, initial).tolist(),
        delta=(history.is_op("increment").astype(np.int64) - history.is_op("decrement")).tolist(),
        up=started_by_end(history, unknown & history.is_op("increment")).tolist(),
        down=started_by_end(history, unknown & history.is_op("decrement")).tolist(),
    )
    return search_orders(history, np.flatnonzero(history.status == OK), orders, deadline)
