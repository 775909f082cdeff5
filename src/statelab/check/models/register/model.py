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
written twice (NP-complete, Gibbons and Korach again), are left to the search (kernels/search.py), which says `unknown`
where time or memory end first.

Cost: O(n log n), one sort by value and one of the zones; the search is exponential in the number of open operations at
worst. Assumes one clock, except for 1 and 2.

The search leaves two things out without loss. An operation of unknown outcome whose value nobody asks for cannot help
(LIVENESS). Where there are misses it can: to those its value is another one than they expected. So all values that
nobody asks for then count as one and the same.
"""

from collections import Counter
from collections.abc import Hashable
from dataclasses import replace
from enum import IntEnum
from typing import Any

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.model import Finding
from statelab.check.kernels.model import Model
from statelab.check.kernels.search import REFUSED
from statelab.check.kernels.search import Outcome
from statelab.check.kernels.search import Specification
from statelab.check.kernels.search import search
from statelab.check.kernels.words import plural
from statelab.check.models.register.proof import by_rule
from statelab.check.models.register.proof import by_search
from statelab.check.models.register.rule import Judgement
from statelab.check.models.register.rule import counts
from statelab.check.models.register.rule import judge
from statelab.check.models.register.values import cas_answer
from statelab.check.models.register.values import misses
from statelab.core.operation import Value
from statelab.record.columns import FAIL
from statelab.record.columns import INFO
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.shapes import Shape

_OTHER = "a value that nobody asks for"


class _Kind(IntEnum):
    WRITE, READ, SWAP, MISS = range(4)


class KeySearch:
    """Searches the keys of a history of registers one by one; `initial` is the number of the initial value."""

    def __init__(self, history: History, initial: int | None) -> None:
        self._history = history
        refused = cas_answer(history, False)
        miss = misses(history)
        self._reads: Mask = history.is_op("read") | refused
        self._kind: list[int] = np.select(
            [miss, self._reads, history.is_op("cas")], [_Kind.MISS, _Kind.READ, _Kind.SWAP], _Kind.WRITE
        ).tolist()
        self._known = history.status != FAIL
        self._unknown: list[bool] = (history.status == INFO).tolist()
        expected, seen = _values(history, "expected", initial), _values(history, "seen", initial)
        told = _values(history, "result", initial)
        found: list[bool] = (refused & ~miss).tolist()
        self._needs = [
            s if f else e if kind != _Kind.READ else r
            for f, kind, e, s, r in zip(found, self._kind, expected, seen, told, strict=True)
        ]
        self._impossible = {row for row, f in enumerate(found) if f and seen[row] == expected[row]}
        self._gives: list[Hashable] = list(_values(history, "value", initial))

    def search(self, rows: Integers, deadline: Deadline) -> Outcome:
        """Whether one register explains these rows, all of one key."""
        known = rows[self._known[rows]]
        asked, missed = self._asked(known.tolist())
        useless = [row for row in known.tolist() if self._unknown[row] and self._gives[row] not in asked | missed]
        for row in useless:
            self._gives[row] = _OTHER
        endless: set[int] = set()
        if not missed:
            endless, spare = self._more_than_enough(known)
            known = known[~np.isin(known, [*useless, *spare])]
        what = Specification(
            initial=None, step=self._step, reads=self._reads, request=self._request, endless=endless.__contains__
        )
        return search(self._history, known, what, deadline=deadline)

    def _more_than_enough(self, rows: Integers) -> tuple[set[int], list[int]]:
        """Of the unknown writes of each value the one from which on there are as many as anybody can need, and later
        ones, which may be left out.

        A write helps only if the value is needed right after it. So where m operations need a value, no more than m of
        its writes are used in all, and once m have started there is always one left.
        """
        needed = Counter(self._needs[row] for row in rows.tolist() if self._kind[row] != _Kind.WRITE)
        writes: dict[Hashable, list[int]] = {}
        for row in rows[np.argsort(self._history.start[rows], kind="stable")].tolist():
            if self._unknown[row] and self._kind[row] == _Kind.WRITE:
                writes.setdefault(self._gives[row], []).append(row)
        enough = {value: needed[value] for value in writes}
        endless = {of[enough[value] - 1] for value, of in writes.items() if 0 < enough[value] <= len(of)}
        return endless, [row for value, of in writes.items() for row in of[enough[value] :]]

    def _asked(self, rows: list[int]) -> tuple[set[Hashable], set[Hashable]]:
        """The values that somebody must have seen, and those that a miss did not see."""
        missed: set[Hashable] = {self._needs[row] for row in rows if self._kind[row] == _Kind.MISS}
        sure = [row for row in rows if not self._unknown[row] and self._kind[row] in (_Kind.READ, _Kind.SWAP)]
        asked: set[Hashable] = {self._needs[row] for row in sure}
        unsure = [row for row in rows if self._unknown[row] and self._kind[row] == _Kind.SWAP]
        swaps = [(self._gives[row], self._needs[row]) for row in unsure]
        while more := {old for new, old in swaps if new in asked or missed} - asked:
            asked |= more
        return asked, missed

    def _step(self, state: Any, cost: int, row: int) -> Any:
        kind, needs = self._kind[row], self._needs[row]
        if kind == _Kind.WRITE:
            return self._gives[row], cost
        if (state == needs) == (kind == _Kind.MISS) or row in self._impossible:
            return REFUSED
        return self._gives[row] if kind == _Kind.SWAP else state, cost

    def _request(self, row: int) -> Hashable:
        return self._kind[row], self._needs[row], self._gives[row], row in self._impossible


def _values(history: History, field: str, initial: int | None) -> list[int | None]:
    """The numbers of a field; None for nothing and for the initial value."""
    numbers, there = getattr(history, field), getattr(history, f"has_{field}")
    if numbers is None:
        return [None] * len(history)
    told = zip(numbers.tolist(), there.tolist(), strict=True)
    return [number if has and number != initial else None for number, has in told]


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one register per key, which holds `initial` first, explains all answers."""
    judgement, outcomes = _decided(history, initial, deadline)
    stuck = {key: outcome.stuck for key, outcome in outcomes.items() if outcome.stuck is not None}
    unknown = {key: outcome for key, outcome in outcomes.items() if outcome.verdict == "unknown"}
    if judgement.wrong.any() or stuck:
        return replace(_violated(history, initial, judgement, stuck, deadline), undecided=len(unknown))
    if unknown:
        return Finding(verdict="unknown", reason=_undecided(history, unknown))
    return Finding(verdict="held", reason="one register explains all answers")


def _decided(history: History, initial: Value | None, deadline: Deadline) -> tuple[Judgement, dict[int, Outcome]]:
    """What the rule says of all keys, and the search of those that it leaves open."""
    start = None if initial is None else history.number(initial)
    judgement = judge(history, start)
    return judgement, _searched(history, start, judgement.open, deadline)


def _searched(history: History, start: int | None, keys: Mask, deadline: Deadline) -> dict[int, Outcome]:
    """What the search says of each key; `stuck` is a row of the history."""
    if not keys.any():
        return {}
    rows = np.flatnonzero(keys[history.key])
    rows = rows[np.argsort(history.key[rows], kind="stable")]
    near = history.take(rows)
    search = KeySearch(near, start)
    codes, first = np.unique(near.key, return_index=True)
    parts = np.split(np.arange(len(rows)), first[1:])
    found = {key: search.search(own, deadline) for key, own in zip(codes.tolist(), parts, strict=True)}
    return {key: outcome.at(rows) for key, outcome in found.items()}


def _violated(
    history: History,
    initial: Value | None,
    judgement: Judgement,
    stuck: dict[int, int],
    deadline: Deadline,
) -> Finding:
    proving = deadline.for_proof()

    def violated(part: History) -> bool:
        judgement, outcomes = _decided(part, initial, proving)
        return bool(judgement.wrong.any() or any(outcome.stuck is not None for outcome in outcomes.values()))

    if judgement.wrong.any():
        proof = by_rule(judgement, violated, proving)
    else:
        proof = by_search(history, *next(iter(stuck.items())), violated, proving)
    return Finding(
        verdict="violated",
        reason="no register can have given these answers",
        proof=proof,
        counts=counts(judgement),
        violated_keys=tuple(sorted({*np.flatnonzero(judgement.wrong).tolist(), *stuck})),
    )


def _undecided(history: History, unknown: dict[int, Outcome]) -> str:
    key, outcome = next(iter(unknown.items()))
    others = f" (and of {plural(len(unknown) - 1, 'other key')})" if len(unknown) > 1 else ""
    return (
        f"the values written to key {history.keys[key]!r}{others} do not tell the writes apart, and of "
        f"{plural(outcome.of, 'answered operation')} the search could order {outcome.placed:,}: {outcome.why}"
    )


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
