"""The rules for whole columns: which rows are operations of the model, and which fields are theirs."""

from functools import reduce

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import OK
from statelab.record.columns import STATUSES
from statelab.record.columns import Mask
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import coded_text
from statelab.record.reading.columnar.column import constant
from statelab.record.reading.columnar.column import plain
from statelab.record.reading.rules import ANYTHING
from statelab.record.reading.rules import rules
from statelab.record.shapes import Shapes

Codes8 = NDArray[np.int8]


def codes(column: Column, names: tuple[object, ...]) -> Codes8:
    """For each text its place among the names; -1 for another text and for none."""
    if column.text is None:
        return np.full(len(column), -1, np.int8)
    coded = coded_text(column.text)
    place = [names.index(text) if text in names else -1 for text in coded.dictionary.to_pylist()]
    found: Codes8 = np.array([*place, -1], np.int8)[plain(coded.indices, -1)]
    return found


class Acceptance:
    """Tests the fields of operations, column by column; `refused` says which rows are not operations of the model.

    `op` and `status` are codes into the model's operations and `STATUSES`, -1 where it is none of them.
    """

    def __init__(self, shapes: Shapes, op: Codes8, status: Codes8) -> None:
        self._shapes = list(shapes.operations.values())
        self._rules = list(rules(shapes).values())
        self.refused = (op < 0) | (status < 0)
        kind = np.where(self.refused, 0, op * np.int8(len(STATUSES)) + status)
        masks = {number: kind == number for number in range(len(self._rules))}
        self._of_kind = {number: mask for number, mask in masks.items() if mask.any()}
        self._n = len(op)

    def test(self, field: str, held: NDArray[np.uint8] | int) -> None:
        """Refuses the rows that may not hold what they do: bits of the rules, or one for all rows."""
        for allowed in {self._rules[kind][field] for kind in self._of_kind}:
            wrong = (np.uint8(allowed) & held) == 0
            if np.any(wrong):
                kinds = [kind for kind in self._of_kind if self._rules[kind][field] == allowed]
                self.refused |= wrong & self._is_one_of(kinds)

    def require_one(self, given: dict[str, Mask]) -> None:
        """Refuses answered operations that have not exactly one of the fields of which they must have one."""
        for code, shape in enumerate(self._shapes):
            if shape.either:
                rows = self._is_one_of([code * len(STATUSES) + OK])
                count = np.sum([given[field] for field in shape.either if field in given], axis=0, dtype=np.int8)
                self.refused |= rows & (count != 1)

    def owned(self, field: str) -> Mask:
        """The rows whose operation has that field; what stands there in others is ignored."""
        return self._is_one_of([kind for kind in self._of_kind if self._rules[kind][field] != ANYTHING])

    def answered(self) -> Mask:
        """The rows that have one of the model's two answers as their result."""
        kinds = [code * len(STATUSES) + OK for code, shape in enumerate(self._shapes) if shape.result == "answer"]
        return self._is_one_of(kinds)

    def _is_one_of(self, kinds: list[int]) -> Mask:
        chosen = [mask for kind, mask in self._of_kind.items() if kind in kinds]
        if len(chosen) in (0, len(self._of_kind)):
            return constant(bool(chosen), self._n, np.bool_)
        return reduce(np.logical_or, chosen)
