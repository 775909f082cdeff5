"""One field of many operations, before it is coded: numbers and texts side by side, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from typing import Any
from typing import overload

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from statelab.record.coding import Table
from statelab.record.columns import Codes
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.columnar.union import coded

pa: Any = pyarrow  # it has no annotations
pc: Any = pyarrow.compute

_FEW = 2**16
_NO_TEXT = pa.array([], pa.dictionary(pa.int32(), pa.string()))


@dataclass(frozen=True, slots=True)
class Column:
    """What a field holds in each of n operations: a number, a text, or neither.

    `number` has shape `(n,)` and means something where `is_number` says so; `text` is an Arrow array of n texts, null
    where there is none, plain or dictionary-coded (`dictionary<int32, string>`), or None if there is none at all.
    """

    number: Integers
    is_number: Mask
    text: Any = None

    @classmethod
    def of_texts(cls, text: Any) -> "Column":
        return cls(constant(0, len(text), np.int64), constant(False, len(text), np.bool_), text)

    def __len__(self) -> int:
        return len(self.number)

    @property
    def is_text(self) -> Mask:
        return constant(False, len(self), np.bool_) if self.text is None else valid(self.text)

    @property
    def known(self) -> Mask:
        """Where there is something."""
        return self.is_number if self.text is None else self.is_number | self.is_text

    def take(self, rows: Mask) -> "Column":
        """The rows where the mask is true."""
        text = None if self.text is None else self.text.filter(pa.array(rows))
        return Column(self.number[rows], self.is_number[rows], text)

    def coded(self) -> "Column":
        """The same with texts that are dictionary-coded."""
        return self if self.text is None else replace(self, text=coded_text(self.text))

    def only(self, rows: Mask) -> "Column":
        """The same with nothing outside `rows`."""
        if every(rows) or not np.greater(self.known, rows).any():
            return self
        kept = self.is_number & rows
        text = None if self.text is None else pc.if_else(pa.array(rows), self.text, None)
        return Column(np.where(kept, self.number, 0), kept, text)


def constant(value: Any, n: int, kind: Any) -> NDArray[Any]:
    """n times the same, without the memory."""
    return np.broadcast_to(np.array(value, kind), n)


def some(mask: Mask) -> bool:
    """Whether a mask is true anywhere; that of a constant is told from its first row."""
    return bool((mask if mask.strides[0] else mask[:1]).any())


def every(mask: Mask) -> bool:
    """Whether a mask is true everywhere."""
    return bool((mask if mask.strides[0] else mask[:1]).all())


def plain(array: Any, null: int) -> NDArray[Any]:
    """The numbers of an Arrow array, and another one for null. (`fill_null` takes ten times as long.)"""
    if not array.null_count:
        return np.asarray(array)
    stored = pa.Array.from_buffers(array.type, len(array), [None, array.buffers()[1]], offset=array.offset)
    return np.where(valid(array), np.asarray(stored), np.asarray(stored).dtype.type(null))


def valid(array: Any) -> Mask:
    """Where an Arrow array is not null."""
    return np.asarray(array.is_valid(), np.bool_) if array.null_count else constant(True, len(array), np.bool_)


def no_column(n: int) -> Column:
    """A field that no operation has."""
    return Column(constant(0, n, np.int64), constant(False, n, np.bool_))


class Texts(Table[str | None]):
    """Many texts that stay as Arrow has them, and become Python's one by one; `first` come before them."""

    def __init__(self, texts: Any, first: tuple[None, ...] = ()) -> None:
        self._texts, self._first = texts, first

    def __len__(self) -> int:
        return len(self._first) + len(self._texts)

    @property
    def size(self) -> int:
        taken: int = self._texts.nbytes
        return taken

    @overload
    def __getitem__(self, place: int) -> str | None: ...
    @overload
    def __getitem__(self, place: slice) -> list[str | None]: ...
    def __getitem__(self, place: int | slice) -> str | list[str | None] | None:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        place = range(len(self))[place]
        if place < len(self._first):
            return None
        text: str = self._texts[place - len(self._first)].as_py()
        return text

    def at(self, places: Integers) -> list[str | None]:
        """The texts at these places; ten times faster than one by one."""
        shown = places - len(self._first)
        texts = self._texts.take(pa.array(shown, mask=shown < 0)).to_numpy(zero_copy_only=False)
        found: list[str | None] = texts.tolist()
        return found

    @property
    def arrow(self) -> Any:
        """The texts without what comes before them."""
        return self._texts

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Where a text stands; raises ValueError if it does not."""
        found = pc.index(self._texts, value).as_py() if isinstance(value, str) else -1
        if found < 0:
            raise ValueError(f"{value!r} is not among the texts")
        return int(found) + len(self._first)


def table(texts: Any) -> Sequence[Any]:
    """The texts of an Arrow array as a table of a history."""
    return tuple(texts.to_pylist()) if len(texts) <= _FEW else Texts(texts)


def with_none(names: Sequence[Any]) -> Sequence[Any]:
    """The same table with None before all else."""
    return Texts(names.arrow, (None,)) if isinstance(names, Texts) else (None, *names)


def by_appearance(ids: NDArray[Any]) -> tuple[Codes, Integers]:
    """Codes of numbers in the order in which they appear, and the number that each stands for. O(n)."""
    coded = pa.array(ids).dictionary_encode()
    return np.asarray(coded.indices, np.int32), np.asarray(coded.dictionary, np.int64)


def renumbered(codes: NDArray[Any], count: int) -> tuple[NDArray[Any], Integers]:
    """Codes below `count` (-1: none) in the order in which they appear, and the old code of each new one. O(n)."""
    if _by_appearance_already(codes, count):
        return codes, np.arange(count)
    if count > _FEW:
        known = codes >= 0
        new = codes.copy()
        new[known], old = by_appearance(codes[known])
        return new, old
    first = _first_places(codes, count)
    old = np.argsort(first, kind="stable")[: np.count_nonzero(first < len(codes))]
    place = np.full(count + 1, -1, codes.dtype)
    place[old] = np.arange(len(old))
    return place.take(codes), old


def _by_appearance_already(codes: NDArray[Any], count: int) -> bool:
    """Whether each code stands somewhere, and for the first time after all lower ones."""
    highest = -1
    for begin in range(0, len(codes), _FEW):
        upto = np.maximum.accumulate(np.maximum(codes[begin : begin + _FEW], highest))
        if np.diff(upto, prepend=highest).max() > 1:
            return False
        highest = int(upto[-1])
        if highest == count - 1:
            return True
    return highest == count - 1


def _first_places(codes: NDArray[Any], count: int) -> Integers:
    """Where each code stands first, `len(codes)` where it does not: read until all have been seen."""
    n = len(codes)
    first = np.full(count + 1, n)
    first[-1] = -1
    for begin in range(0, n, _FEW):
        block = codes[begin : begin + _FEW]
        fresh = np.flatnonzero(first.take(block) == n)[::-1]
        first[block[fresh]] = begin + fresh  # of several places the one that is written last stays: the first
        if (first < n).all():
            break
    return first[:-1]


def code(columns: Sequence[Column]) -> tuple[list[Codes], Sequence[Any]]:
    """Codes of several columns over one table of values, in the order in which they appear; -1 where there is none."""
    texts, words = _text_codes(columns)
    numbers, all_numbers = by_appearance(np.concatenate([column.number[column.is_number] for column in columns]))
    codes = np.concatenate(texts) if len(texts) > 1 else texts[0]
    if len(numbers):
        codes = codes.copy()
        codes[np.concatenate([column.is_number for column in columns])] = numbers + len(words)
    codes, order = renumbered(codes, len(words) + len(all_numbers))
    return np.split(codes, np.cumsum([len(column) for column in columns])[:-1]), _values(order, words, all_numbers)


def _text_codes(columns: Sequence[Column]) -> tuple[list[Codes], Any]:
    """Codes of the texts of each column, -1 where there is none, and their one table."""
    texts = [_NO_TEXT if column.text is None else coded_text(column.text) for column in columns]
    chunks = pa.chunked_array(texts).unify_dictionaries().chunks if len(texts) > 1 else texts
    codes = [
        constant(-1, len(column), np.int32) if column.text is None else plain(chunk.indices, -1)
        for column, chunk in zip(columns, chunks, strict=True)
    ]
    return codes, chunks[0].dictionary


def plain_text(text: Any) -> Any:
    """Texts as an Arrow array that is not dictionary-coded."""
    return text.cast(pa.string()) if pa.types.is_dictionary(text.type) else text


def coded_text(text: Any) -> Any:
    """Texts as a dictionary-coded Arrow array."""
    return text if pa.types.is_dictionary(text.type) else coded(text)


def _values(order: Integers, words: Any, numbers: Integers) -> Sequence[Any]:
    """The table of the codes that were given in that order: texts come before numbers in `order`."""
    if not len(numbers):
        ordered = len(order) == len(words) and (order[1:] > order[:-1]).all()
        return table(words if ordered else words.take(pa.array(order)))
    everything = [*words.to_pylist(), *numbers.tolist()]
    return tuple(everything[place] for place in order.tolist())
