"""Registers whose values are not unique, and misses that no rule places: the bounded search of `search`.

Two things are left out without loss. An operation of unknown outcome whose value nobody asks for cannot help (see
register_values, LIVENESS). Unless there are misses: to those its value is another one than they expected, so all values
that nobody asks for are one and the same.
"""

from collections.abc import Hashable
from enum import IntEnum
from typing import Any

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import REFUSED
from statelab.check.kernels.search import Outcome
from statelab.check.kernels.search import Specification
from statelab.check.kernels.search import search
from statelab.check.models.register.sightings import cas_answer
from statelab.check.models.register.sightings import misses
from statelab.record.columns import FAIL
from statelab.record.columns import INFO
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask

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
        if not missed:
            known = known[~np.isin(known, useless)]
        what = Specification(initial=None, step=self._step, reads=self._reads, request=self._request)
        return search(self._history, known, what, deadline=deadline)

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

    def _step(self, state: Any, row: int) -> Any:
        kind, needs = self._kind[row], self._needs[row]
        if kind == _Kind.WRITE:
            return self._gives[row]
        if (state == needs) == (kind == _Kind.MISS) or row in self._impossible:
            return REFUSED
        return self._gives[row] if kind == _Kind.SWAP else state

    def _request(self, row: int) -> Hashable:
        return self._kind[row], self._needs[row], self._gives[row]


def _values(history: History, field: str, initial: int | None) -> list[int | None]:
    """The numbers of a field; None for nothing and for the initial value."""
    numbers, there = getattr(history, field), getattr(history, f"has_{field}")
    if numbers is None:
        return [None] * len(history)
    told = zip(numbers.tolist(), there.tolist(), strict=True)
    return [number if has and number != initial else None for number, has in told]
