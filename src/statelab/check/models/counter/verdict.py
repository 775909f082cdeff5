"""Linearizability of a shared counter whose increment returns the new value (fetch-and-add), decided exactly.

A history of such a counter is linearizable iff, on each key,
1. no increment was told a number <= the initial one (no read one below it), and no number was told to two increments;
2. LEMMA ORDER holds with rank 2v for an increment told v and 2v + 1 for a read of v;
3. for every answered operation x that shows v, the numbers <= v that nobody was told are not more than the increments
   of unknown outcome that had started when x ended (Hall's condition: deadlines only grow with the number, so if
   each prefix of the missing numbers finds enough of them, the greedy matching gives every number one of its own).
Unknown increments that are not needed come last, or never. O(n log n), one sort; checked against exhaustive search in
tests/check/models/test_counter_against_oracle.py.

What a WITNESS is. Dropping operations from a valid history leaves numbers that nobody was told, so a sub-history
needs its context. The rule here: operations outside the witness are kept as increments whose answers are forgotten -
each may have been told anything and may take effect at any time after its own start, or never; reads outside are
dropped. A set of operations is a witness if even so no order exists (`refutes`). `check` returns one with the fewest
operations, from which therefore none can be left out:
- too-low: one increment told a number that is not above the initial value, or one read below it;
- gap: one operation that shows v before v increments had even been asked for, or with it the increments that were
  told higher numbers and so cannot be among those v;
- duplicate: two increments told the same number;
- inversion: two operations, one of which had ended before the other started although its number is higher.
"""

from dataclasses import dataclass
from dataclasses import replace
from typing import Literal

import numpy as np

from statelab.check.models.counter.conditions import Examination
from statelab.check.models.counter.conditions import examine
from statelab.check.models.counter.race_events import RaceEvent
from statelab.check.models.counter.race_events import race_events
from statelab.check.models.counter.ranked import answers
from statelab.check.models.counter.totals import totals
from statelab.check.models.counter.witness import Smallest
from statelab.check.models.counter.witness import smallest
from statelab.core.results import Bounds
from statelab.record.columns import INF
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterVerdict:
    """What a counter's history shows. Row numbers are those of the history.

    `lost` bounds the acknowledged increments that the final reads lack (None: nothing was read after the last ok
    increment had ended); `duplicates` are answers beyond one per number, `inversions` operations that ended too early
    for their number, `gaps` numbers up to the highest that nobody was told.
    """

    verdict: Literal["held", "violated"]
    witness: Smallest | None
    lost: Bounds | None
    duplicates: int
    inversions: int
    gaps: int
    race_events: tuple[RaceEvent, ...]


def check(history: History, *, initial: int = 0) -> CounterVerdict:
    """Whether increments and reads fit one counter per key that starts at `initial`; if not, the smallest proof.

    Raises ValueError where the history has other operations, or an ok increment without a result.
    """
    return conclude(examine(answers(history, initial), history.grouped_by("whole")))


def conclude(found: Examination) -> CounterVerdict:
    """The verdict over all counters of an examination."""
    events = race_events(found.told) if found.duplicate.any() else ()
    return CounterVerdict(
        verdict="held" if found.valid else "violated",
        witness=smallest(found, events),
        lost=totals(found.given, found.told).lost(found.violated),
        duplicates=int(found.duplicate.sum()),
        inversions=int(np.count_nonzero(found.slack)),
        gaps=int(found.nobody.sum()),
        race_events=events,
    )


def refutes(history: History, rows: tuple[int, ...], *, initial: int = 0) -> bool:
    """Whether these rows alone are a violation: no order exists even if every other answer is forgotten."""
    inside = np.zeros(len(history), np.bool_)
    inside[list(rows)] = True
    forgotten = ~inside & history.is_op("increment") & (history.status == OK)
    context = replace(
        history,
        status=np.where(forgotten, INFO, history.status).astype(np.int8),
        end=np.where(forgotten, INF, history.end),
        has_result=history.has_result & ~forgotten,
    ).take(inside | history.is_op("increment"))
    return not examine(answers(context, initial), context.grouped_by("whole")).valid
