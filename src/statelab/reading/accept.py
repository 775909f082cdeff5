"""The rules for whole columns: which rows are operations of the model, and which fields are theirs."""

import numpy as np
from numpy.typing import NDArray

from statelab.checkers.model import Model
from statelab.columns import OK
from statelab.columns import STATUSES
from statelab.columns import Mask
from statelab.reading.column import Column
from statelab.reading.column import coded_text
from statelab.reading.column import constant
from statelab.reading.rules import ANYTHING
from statelab.reading.rules import rules

Codes8 = NDArray[np.int8]


def codes(column: Column, names: tuple[object, ...]) -> Codes8:
    """For each text its place among the names; -1 for another text and for none."""
    if column.text is None:
        return np.full(len(column), -1, np.int8)
    coded = coded_text(column.text)
    place = [names.index(text) if text in names else -1 for text in coded.dictionary.to_pylist()]
    found: Codes8 = np.array([*place, -1], np.int8)[np.asarray(coded.indices.fill_null(-1))]
    return found


class Acceptance:
    """Tests the fields of operations, column by column; `refused` says which rows are not operations of the model.

    `op` and `status` are codes into the model's operations and `STATUSES`, -1 where it is none of them.
    """

    def __init__(self, model: Model, op: Codes8, status: Codes8) -> None:
        self._shapes = list(model.operations.values())
        self._rules = list(rules(model).values())
        self.refused = (op < 0) | (status < 0)
        self._kind = np.where(self.refused, 0, op.astype(np.intp) * len(STATUSES) + status)
        self._present = np.flatnonzero(np.bincount(self._kind, minlength=len(self._rules))).tolist()
        self._n = len(op)

    def test(self, field: str, held: NDArray[np.uint8] | int) -> None:
        """Refuses the rows that may not hold what they do: bits of the rules, or one for all rows."""
        allowed = np.array([each[field] for each in self._rules], np.uint8)
        if isinstance(held, int):
            self.refused |= self._is_one_of([kind for kind in self._present if not allowed[kind] & held])
        else:
            self.refused |= (allowed.take(self._kind) & held) == 0

    def require_one(self, given: dict[str, Mask]) -> None:
        """Refuses answered operations that have not exactly one of the fields of which they must have one."""
        for code, shape in enumerate(self._shapes):
            if shape.either:
                rows = self._is_one_of([code * len(STATUSES) + OK])
                count = np.sum([given[field] for field in shape.either if field in given], axis=0, dtype=np.int8)
                self.refused |= rows & (count != 1)

    def owned(self, field: str) -> Mask:
        """The rows whose operation has that field; what stands there in others is ignored."""
        return self._is_one_of([kind for kind in self._present if self._rules[kind][field] != ANYTHING])

    def answered(self) -> Mask:
        """The rows that have one of the model's two answers as their result."""
        kinds = [code * len(STATUSES) + OK for code, shape in enumerate(self._shapes) if shape.result == "answer"]
        return self._is_one_of(kinds)

    def _is_one_of(self, kinds: list[int]) -> Mask:
        if not set(kinds) & set(self._present):
            return constant(False, self._n, np.bool_)
        if set(kinds) >= set(self._present):
            return constant(True, self._n, np.bool_)
        chosen = np.zeros(len(self._rules), np.bool_)
        chosen[kinds] = True
        return chosen.take(self._kind)
