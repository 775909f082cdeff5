"""Linearizability of a stock that is sold one by one (`inventory`), decided exactly.

Promise: of N in stock each buy takes one and says "ok" while there are any, and "sold-out" when all N are gone. Nothing
comes back. N must be given (`--initial N`).

A history is linearizable iff on each key
1. at most N buys were told ok (else it is oversold);
2. no buy that was told ok started after one had ended that was told sold-out;
3. if any buy was told sold-out: when the first of these ended, N buys had been asked for that were told ok or got no
   answer (else sold-out was false: one was still there).

Why this is exact. It is the blind counter (blind_counter/model.py) with "sold-out" as a read of N and no place beyond
the N-th. All places 1..N then have one window: it ends when the first sold-out ends, and beginning it has none, as no
read shows less than N. So the matching needs no search: the buys that were told ok find places iff they are at most N
(1) and each starts before that end (2), and all N places can be filled iff N buys do (3). A buy of unknown outcome may
have bought, been told sold-out or not have happened; it is taken where 3 needs it, and else left out.

Cost: O(n), no sort, unless it is violated. Assumes one clock for 2 and 3; 1 needs none.
"""

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import Finding
from statelab.check.kernels.model import Model
from statelab.check.kernels.model import Proof
from statelab.check.models.inventory.sales import Sales
from statelab.check.models.inventory.sales import sales
from statelab.check.models.inventory.witness import emptied
from statelab.check.models.inventory.witness import smallest
from statelab.check.models.inventory.words import SHOP
from statelab.check.models.inventory.words import Terms
from statelab.check.models.inventory.words import words
from statelab.core.errors import BadInput
from statelab.core.operation import Value
from statelab.record.columns import History
from statelab.record.shapes import Shape


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one stock of `initial` per key explains all answers; raises BadInput where that is no amount."""
    if not isinstance(initial, int) or initial < 0:
        raise BadInput(f"inventory: --initial says how many there are to sell, 0 or more; it was {initial!r}")
    return decide(history, initial, SHOP)


def decide(history: History, initial: int, terms: Terms) -> Finding:
    """The same of whatever is given away one by one until nothing is left, in its own terms."""
    found = sales(history, initial, terms.op)
    late = found.per_key(found.late) > 0
    violated = np.flatnonzero(found.oversold | found.false | late)
    if not len(violated):
        return Finding(verdict="held", reason=terms.fits.format(initial))
    witness = smallest(found)
    return Finding(
        verdict="violated",
        reason=terms.contradicts.format(initial),
        proof=Proof(witness.kind, witness.rows, words(history, witness, initial, terms), witness.slack_ns),
        counts=_counts(found),
        violated_keys=tuple(violated.tolist()),
    )


def _counts(found: Sales) -> dict[str, int]:
    too_early = found.refused & (found.history.end < emptied(found)[found.history.key])
    counts = {
        "oversold": int(np.maximum(found.sold - found.stock, 0).sum()),
        "false-sold-out": int(np.count_nonzero(too_early)) if found.stock else 0,
        "late-sales": int(np.count_nonzero(found.late)),
    }
    return {word: count for word, count in counts.items() if count}


MODEL = Model(
    name="inventory",
    promise='of N in stock each buy takes one and says "ok" while there are any, and "sold-out" when all are gone',
    operations={"buy": Shape(result="answer")},
    check=check,
    initial_kind="integer",
    needs_initial=True,
    answers=("sold-out", "ok"),
)
