"""A sheet that is filled in field by field, some operations at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import INF
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import constant
from statelab.record.reading.columnar.column import pa
from statelab.record.reading.columnar.sheet import ARRAYS
from statelab.record.reading.columnar.sheet import ListColumn
from statelab.record.reading.columnar.sheet import Sheet

_UNLESS_GIVEN = {"end": INF, "answer": -1}
"""What stands in a column of numbers where none was put; 0 in all others."""


class Batch:
    """n operations. Texts are where they begin in `data` (UTF-8) and how long they are; fields are named as in
    `Operation`, and those of `served_by` as `served_by.pid`."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._number: dict[str, Integers] = {}
        self._is_number: dict[str, Mask] = {}
        self._begin: dict[str, Integers] = {}
        self._length: dict[str, Integers] = {}
        self._is_text: dict[str, Mask] = {}

    def put_numbers(self, field: str, rows: Integers | slice, numbers: Integers | int) -> None:
        if field not in self._number:
            self._number[field] = np.full(self._n, _UNLESS_GIVEN.get(field, 0), np.int64)
            self._is_number[field] = np.zeros(self._n, np.bool_)
        self._number[field][rows] = numbers
        self._is_number[field][rows] = True

    def put_texts(self, field: str, rows: Integers, begin: Integers, length: Integers) -> None:
        if field not in self._begin:
            self._begin[field], self._length[field] = np.zeros((2, self._n), np.int64)
            self._is_text[field] = np.zeros(self._n, np.bool_)
        self._begin[field][rows] = begin
        self._length[field][rows] = length
        self._is_text[field][rows] = True

    def column(self, field: str, data: NDArray[np.uint8]) -> Column:
        """One field; all texts but op_ids, of which there are many, are dictionary-coded."""
        number = self._number.get(field, constant(0, self._n, np.int64))
        is_number = self._is_number.get(field, constant(False, self._n, np.bool_))
        if field not in self._begin:
            return Column(number, is_number)
        text = texts(data, self._begin[field], self._length[field], self._is_text[field])
        return Column(number, is_number, text if field == "op_id" else text.dictionary_encode())

    def sheet(self, data: NDArray[np.uint8], ops: tuple[str, ...], elements: ListColumn | None) -> Sheet:
        """All that was put in."""
        self.put_numbers("end", slice(0), INF)  # there is one even if no operation has ended
        arrays: dict[str, NDArray[Any]] = {
            name: self._number[name].astype(kind) for name, kind in ARRAYS.items() if name in self._number
        }
        fields = dict.fromkeys([*self._begin, *self._number])
        columns = {field: self.column(field, data) for field in fields if field not in ARRAYS}
        return Sheet(ops, arrays, columns, elements)


def texts(data: NDArray[np.uint8], begin: Integers, length: Integers, known: Mask) -> Any:
    """The texts `data[begin[i]:begin[i] + length[i]]` as an Arrow array, null where not known."""
    ends = np.cumsum(length)
    places = np.repeat(begin - (ends - length), length) + np.arange(ends[-1] if len(ends) else 0)
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    valid = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.StringArray.from_buffers(len(known), pa.py_buffer(offsets), pa.py_buffer(data[places]), valid)
