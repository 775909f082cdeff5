"""Sheets one after the other, as one sheet."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import constant
from statelab.record.reading.columnar.column import pa
from statelab.record.reading.columnar.sheet import ARRAYS
from statelab.record.reading.columnar.sheet import ListColumn
from statelab.record.reading.columnar.sheet import Sheet
from statelab.record.reading.columnar.union import MOST_BYTES
from statelab.record.reading.columnar.union import coded
from statelab.record.reading.columnar.union import union

_UNLESS_GIVEN = {"answer": -1}
"""What stands in an array where none was put; 0 in all others."""


def merged(sheets: Iterable[Sheet], n: int) -> Sheet:
    """All operations, n of them, of some sheets (at least one) that have the same `ops`, in order.

    Each sheet is put in its place when it comes, so that no two of them need be in memory.
    """
    whole, begin, ops = _Whole(n), 0, tuple[str, ...]()
    for sheet in sheets:
        whole.put(sheet, slice(begin, begin + len(sheet)))
        begin, ops = begin + len(sheet), sheet.ops
    return whole.sheet(ops)


class _Growing:
    """One field of n operations; what was not put is not there."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._number: Integers | None = None
        self._is_number: Mask = constant(False, n, np.bool_)
        self._texts = list[Any]()
        self._with_texts = 0

    def put(self, column: Column, rows: slice) -> None:
        if column.is_number.any():
            if self._number is None:
                self._number, self._is_number = np.zeros(self._n, np.int64), np.zeros(self._n, np.bool_)
            self._number[rows], self._is_number[rows] = column.number, column.is_number
        if column.text is not None:
            self._fill_up(rows.start, column.text.type)
            self._texts.append(column.text)
            self._with_texts = rows.stop

    def _fill_up(self, row: int, kind: Any) -> None:
        if row > self._with_texts:
            self._texts.append(pa.nulls(row - self._with_texts, kind))

    def column(self) -> Column:
        """What was put, and then nothing more."""
        number = constant(0, self._n, np.int64) if self._number is None else self._number
        if not self._texts:
            return Column(number, self._is_number)
        self._fill_up(self._n, self._texts[0].type)
        return Column(number, self._is_number, self._whole_text())

    def _whole_text(self) -> Any:
        if pa.types.is_dictionary(self._texts[0].type):
            return union(self._texts)
        texts = pa.chunked_array(self._texts)
        if texts.nbytes > MOST_BYTES:
            return coded(texts)  # each different one once
        return texts.combine_chunks()


class _Whole:
    """A sheet of n operations on its way."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._arrays: dict[str, NDArray[Any]] = {}
        self._columns: dict[str, _Growing] = {}
        self._lists: list[tuple[int, ListColumn]] = []

    def put(self, sheet: Sheet, rows: slice) -> None:
        for name, array in sheet.arrays.items():
            if name not in self._arrays:
                self._arrays[name] = _empty(name, self._n)
            self._arrays[name][rows] = array
        for name, column in sheet.columns.items():
            self._columns.setdefault(name, _Growing(self._n)).put(column, rows)
        if sheet.elements is not None:
            self._lists.append((rows.start, sheet.elements))

    def sheet(self, ops: tuple[str, ...]) -> Sheet:
        columns = {name: self._columns.pop(name).column() for name in list(self._columns)}
        return Sheet(ops, self._arrays, columns, self._elements())

    def _elements(self) -> ListColumn | None:
        if not self._lists:
            return None
        known, length = np.zeros(self._n, np.bool_), np.zeros(self._n, np.int64)
        items, place = _Growing(sum(len(lists.items) for _, lists in self._lists)), 0
        for begin, lists in self._lists:
            rows = slice(begin, begin + len(lists.known))
            known[rows], length[rows] = lists.known, lists.length
            items.put(lists.items, slice(place, place + len(lists.items)))
            place += len(lists.items)
        return ListColumn(known, length, items.column())


def _empty(name: str, n: int) -> NDArray[Any]:
    unless = _UNLESS_GIVEN.get(name, 0)
    return np.full(n, unless, ARRAYS[name]) if unless else np.zeros(n, ARRAYS[name])
