"""Linearizability of registers: `write`, `read` and `cas` (compare and set), decided exactly where values are unique.

Promise: a read returns what was written last; a `cas` that answers true found the value it expected and replaced it;
one that answers false found another (`seen` may say which). Nothing written yet shows as null, or as `--initial`.

Where no value is written to a key twice, a value names its writer. The history of the key is linearizable iff
1. every value that was seen was written, by an operation that did not fail, or was there from the beginning;
2. no value was replaced by two `cas`, and no values came only from each other;
3. inside each chain (a value that was written and those that replaced it one after the other) nothing ended before what
   must precede it started;
4. no two chains must each precede the other;
5. no `cas` answered false although it saw what it expected, and one order of all others leaves each `cas` that only
   says which value it did not find a moment with another value.

Why this is exact. 1 and 2 need no clock: a value has one writer, and whoever replaces it leaves another. With them the
answers force the order inside a chain (made, seen, replaced, seen, ...), so LEMMA ORDER (kernels/order.py) makes 3
exact. A value that is gone does not come back, so a chain's operations lie together: LEMMA ZONES (kernels/zones.py)
makes 4 exact. Which operations of unknown outcome took effect follows from what was seen; the others lose nothing by
being left out (LIVENESS, values.py). Without 5 this is Gibbons and Korach 1997, "Testing Shared Memories", section 4,
read as zones by Golab, Li and Shah 2011, "Analyzing Consistency Properties for Fun and Profit"; chains of `cas` are
blocks.

5 is decided by rule where it can be: a miss is wrong if its value was there all the while in every order, and all fit
if an order is found in which they do (failed_cas.py). Keys for which neither holds, and keys in which a value is
written twice (NP-complete, Gibbons and Korach again), are left to the search (search.py), which says `unknown` where
time or memory end first.

Cost: O(n log n), one sort by value and one of the zones; the search is exponential in the number of open operations at
worst. Assumes one clock, except for 1 and 2.
"""

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model
from statelab.check.kernels.search import Outcome
from statelab.check.models.register.chains import blocks
from statelab.check.models.register.failed_cas import judge_failed_cas
from statelab.check.models.register.proof import by_rule, by_search
from statelab.check.models.register.search import KeySearch, Requests
from statelab.check.models.register.values import cas_answer, same_value, sightings, values
from statelab.check.models.register.witness import Judgement, Scene
from statelab.core.errors import counted
from statelab.core.operation import Value
from statelab.record.columns import Codes, History, Integers, Mask
from statelab.record.shapes import Shape


def judge(history: History, initial: int | None) -> Judgement:
    """Applies the rule to all keys at once. O(n log n)."""
    given = sightings(history, initial)
    found = values(history, given)
    denied = np.zeros(0, np.int64)
    if history.seen is not None and history.has_seen is not None:  # a cas that saw what it expected and yet failed
        saw = cas_answer(history, False) & history.has_seen
        denied = np.flatnonzero(saw & same_value(history, "seen", "expected", initial))
    ambiguous = _keys(history, found.key[found.ambiguous])
    unique = ~ambiguous[found.key]
    forked = _keys(history, found.key[unique & (found.forks > 1)])
    broken = forked | _keys(history, found.key[unique & found.phantom])
    judged = blocks(found, np.flatnonzero(found.live & unique & ~broken[found.key]).astype(np.int32))
    wrong = broken | _keys(history, history.key[denied]) | _keys(history, judged.violated(found.key))
    failed = judge_failed_cas(history, given, found, judged).of(~wrong[history.key])
    wrong |= _keys(history, history.key[failed.row[failed.wrong]])
    undecided = (ambiguous | _keys(history, history.key[failed.row[failed.open]])) & ~wrong
    return Judgement(Scene(history, initial, given, found, judged), failed, denied, forked, wrong, undecided)


def _keys(history: History, codes: Integers | Codes) -> Mask:
    marked = np.zeros(len(history.keys), np.bool_)
    marked[codes] = True
    return marked


def counts(judgement: Judgement) -> dict[str, int]:
    """Values that nobody made (`phantom`), values replaced more than once (`lost-update`, extra times), values seen too
    soon (`future-read`) or after they were gone (`stale-read`), and `cas` that failed wrongly (`false-failure`)."""
    values, judged, failed = judgement.scene.values, judgement.scene.judged, judgement.failed_cas
    unique = ~judgement.open[values.key]
    found = {
        "phantom": int(np.count_nonzero(values.phantom & unique)) + len(judged.chains.endless),
        "lost-update": int(np.maximum(values.forks - 1, 0)[judgement.forked[values.key]].sum()),
        "future-read": int(np.count_nonzero(judged.future)),
        "stale-read": int(np.count_nonzero(judged.stale)) + len(judged.clashes),
        "false-failure": int(np.count_nonzero(failed.wrong)) + len(judgement.denied),
    }
    return {word: count for word, count in found.items() if count}


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one register per key, which holds `initial` first, explains all answers."""
    judgement, outcomes = _decided(history, initial, deadline)
    stuck = {key: outcome.stuck for key, outcome in outcomes.items() if outcome.stuck is not None}
    undecided = [(key, outcome) for key, outcome in outcomes.items() if outcome.verdict == "unknown"]
    if not judgement.wrong.any() and not stuck:
        if not undecided:
            return Finding(verdict="held", reason="one register explains all answers")
        key, outcome = undecided[0]
        others = f" (and of {counted(len(undecided) - 1, 'other key')})" if len(undecided) > 1 else ""
        alike = f"the values written to key {history.keys[key]!r}{others} do not tell the writes apart"
        done = f"of {counted(outcome.of, 'answered operation')} the search could order {outcome.placed:,}"
        return Finding(verdict="unknown", reason=f"{alike}, and {done}: {outcome.why}")
    proving = deadline.for_proof()

    def violated(part: History) -> bool:
        judgement, outcomes = _decided(part, initial, proving)
        return bool(judgement.wrong.any() or any(outcome.stuck is not None for outcome in outcomes.values()))

    if judgement.wrong.any():
        proof = by_rule(judgement, violated, proving)
    else:
        start = None if initial is None else history.number(initial)
        proof = by_search(history, start, *next(iter(stuck.items())), violated, proving)
    return Finding(
        verdict="violated",
        reason="no register can have given these answers",
        proof=proof,
        counts=counts(judgement),
        violated_keys=tuple(sorted({*np.flatnonzero(judgement.wrong).tolist(), *stuck})),
        undecided=len(undecided),
    )


def _decided(history: History, initial: Value | None, deadline: Deadline) -> tuple[Judgement, dict[int, Outcome]]:
    """What the rule says of all keys, and the search of those that it leaves open; `stuck` is a row of the history."""
    start = None if initial is None else history.number(initial)
    judgement = judge(history, start)
    if not judgement.open.any():
        return judgement, {}
    rows = np.flatnonzero(judgement.open[history.key])
    rows = rows[np.argsort(history.key[rows], kind="stable")]
    near = history.take(rows)
    requests = Requests(near, start)
    codes, first = np.unique(near.key, return_index=True)
    parts = np.split(np.arange(len(rows)), first[1:])
    found = {key: KeySearch(requests, own).search(deadline) for key, own in zip(codes.tolist(), parts, strict=True)}
    return judgement, {key: outcome.at(rows) for key, outcome in found.items()}


MODEL = Model(
    name="register",
    promise="each read returns the value that was written last, and a cas replaces the value if it is the expected one",
    operations={
        "write": Shape(value="value"),
        "read": Shape(result="value", nothing=frozenset({"result"}), changes=False),
        "cas": Shape(
            result="answer",
            value="value",
            expected="value",
            seen="value",
            nothing=frozenset({"expected", "seen"}),
            optional=frozenset({"seen"}),
        ),
    },
    check=check,
    initial_kind="value",
)
