"""One field of a table of natural columns: what each operation holds there, whatever type the column has."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import Mask
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import constant
from statelab.record.reading.columnar.column import every
from statelab.record.reading.columnar.column import no_column
from statelab.record.reading.columnar.column import pa
from statelab.record.reading.columnar.column import pc
from statelab.record.reading.columnar.column import plain
from statelab.record.reading.columnar.column import some
from statelab.record.reading.columnar.column import valid
from statelab.record.reading.columnar.sheet import ListColumn
from statelab.record.reading.rules import BOOL
from statelab.record.reading.rules import EMPTY
from statelab.record.reading.rules import LIST
from statelab.record.reading.rules import NUMBER
from statelab.record.reading.rules import OTHER
from statelab.record.reading.rules import TEXT

Flags = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Cells:
    """`column` has the numbers and texts, `flag` what is true (1) or false (0; -1: neither), `lists` the lists of
    integers and texts, and `other` says where something else stands. What none of the operations has is None."""

    column: Column
    flag: Flags | None = None
    lists: ListColumn | None = None
    other: Mask | None = None
    held: NDArray[np.uint8] | int | None = None

    @property
    def given(self) -> Mask:
        """Where anything stands."""
        masks = [mask for mask in self._masks().values() if mask is not None and some(mask)]
        return reduce(np.logical_or, masks) if masks else constant(False, len(self.column), np.bool_)

    def _masks(self) -> dict[int, Mask | None]:
        """Where each kind of thing stands."""
        return {
            NUMBER: self.column.is_number,
            TEXT: self.column.is_text,
            BOOL: None if self.flag is None else self.flag >= 0,
            LIST: None if self.lists is None else self.lists.known,
            OTHER: self.other,
        }

    def holds(self) -> NDArray[np.uint8] | int:
        """What each operation holds, as bits of the rules, or once if all hold the same. Null may also be left out."""
        if self.held is not None:
            return self.held
        there = {bit: mask for bit, mask in self._masks().items() if mask is not None and some(mask)}
        if not there:
            return EMPTY
        if len(there) == 1 and all(map(every, there.values())):
            return next(iter(there))
        bits = np.full(len(self.column), EMPTY, np.uint8)
        for bit, mask in there.items():
            np.putmask(bits, mask, bit)  # the last one is OTHER
        return bits


def joined(left: Cells, right: Cells) -> Cells:
    """What two columns hold of one field; where both hold something, it is something else."""
    if not some(right.given):
        return left
    if not some(left.given):
        return right
    others = [left.given & right.given, left.other, right.other]
    if left.lists is not None and right.lists is not None:
        others.append(right.lists.known)
    return Cells(
        _both(left.column, right.column),
        right.flag if left.flag is None else left.flag,
        right.lists if left.lists is None else left.lists,
        np.logical_or.reduce([mask for mask in others if mask is not None]),
    )


def _both(left: Column, right: Column) -> Column:
    for one, other in ((left, right), (right, left)):
        if not some(other.known):
            return one
    number = np.where(left.is_number, left.number, right.number)
    texts = [column.text.cast(pa.string()) for column in (left, right) if column.text is not None]
    return Column(number, left.is_number | right.is_number, pc.coalesce(*texts) if texts else None)


def cells(array: Any) -> Cells:
    """What an Arrow array holds."""
    kind, n = array.type, len(array)
    if pa.types.is_null(kind):
        return Cells(no_column(n))
    if pa.types.is_dictionary(kind) and not _is_text(kind.value_type):
        return cells(array.dictionary_decode())
    if _is_text(kind) or pa.types.is_dictionary(kind):
        return _texts(array)
    if pa.types.is_boolean(kind):
        return Cells(no_column(n), flag=plain(array.cast(pa.int8()), -1))
    if pa.types.is_integer(kind):
        return _integers(array)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _lists(array)
    return Cells(no_column(n), other=valid(array))


def _is_text(kind: Any) -> bool:
    return any(test(kind) for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view))


def _texts(array: Any) -> Cells:
    coded = pa.types.is_dictionary(array.type)
    text = array.cast(pa.dictionary(pa.int32(), pa.string()) if coded else pa.string())
    (text.dictionary if coded else text).validate(full=True)  # Parquet files may hold texts that are not UTF-8
    return Cells(Column.of_texts(text))


def _integers(array: Any) -> Cells:
    beyond = None
    if pa.types.is_uint64(array.type):
        beyond = plain(array, 0) > np.iinfo(np.int64).max
    number = plain(array, 0).astype(np.int64, copy=False)
    if beyond is None or not beyond.any():
        return Cells(Column(number, valid(array)))
    return Cells(Column(np.where(beyond, 0, number), valid(array) & ~beyond), other=beyond)


def _lists(array: Any) -> Cells:
    """Lists; one that has something else than integers and texts in it is something else itself."""
    length = np.asarray(pc.list_value_length(array).fill_null(0), np.int64)
    items = _items(array.flatten())
    row = np.repeat(np.arange(len(array)), length)
    other = np.zeros(len(array), np.bool_)
    other[row[~items.known]] = True
    lists = ListColumn(valid(array), length, items)
    return Cells(no_column(len(array)), lists=lists.only(~other), other=other if other.any() else None)


def _items(array: Any) -> Column:
    """The items of lists: integers, texts, or both, as `parquet.write` puts them into structures."""
    if pa.types.is_struct(array.type) and {field.name for field in array.type} == {"number", "text"}:
        number, text = (cells(pc.struct_field(array, name)).column for name in ("number", "text"))
        return Column(number.number, number.is_number, text.text)
    return cells(array).column
