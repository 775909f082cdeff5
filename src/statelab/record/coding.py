"""Values, names and lists as arrays, and as codes: what becomes the columns of a history.

A column is read before it is coded: `Column` has numbers and texts as they came, `code` makes codes of them and a table
of what each code stands for.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress
from typing import Any, TypeVar

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

pa: Any = pyarrow  # it has no annotations
pc: Any = pyarrow.compute

T = TypeVar("T", bound=Hashable)

Integers = NDArray[np.int64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]

VALUES = ("result", "value", "expected", "seen")
"""The fields of an operation that hold a value."""

MOST_BYTES = 2**31 - 1  # of text in one Arrow array
_FEW = 2**16


def encode(values: Iterable[T], first: Sequence[T] = ()) -> tuple[NDArray[np.int32], tuple[T, ...]]:
    """Dictionary-codes values: value i is `table[codes[i]]`; the table begins with `first`."""
    listed = list(values)
    position = {value: code for code, value in enumerate(dict.fromkeys([*first, *listed]))}
    return np.fromiter(map(position.__getitem__, listed), np.int32, len(listed)), tuple(position)


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """A column of lists: row i holds `number[first[i]:first[i + 1]]` if `known[i]`; `first` has shape `(n + 1,)`."""

    first: NDArray[np.int64]
    number: NDArray[np.int64]
    known: NDArray[np.bool_]

    def __getitem__(self, row: int) -> NDArray[np.int64]:
        return self.number[self.first[row] : self.first[row + 1]]

    @property
    def length(self) -> NDArray[np.int64]:
        return np.diff(self.first)

    @property
    def row(self) -> NDArray[np.int64]:
        """For each number, the row whose list holds it."""
        return np.repeat(np.arange(len(self.known)), self.length)

    def take(self, rows: Any) -> "Lists":
        """The lists of some rows (indices, a mask or a slice)."""
        chosen = np.arange(len(self.known))[rows]
        length = self.length[chosen]
        first = np.concatenate(([0], np.cumsum(length)))
        inside = np.arange(first[-1]) - np.repeat(first[:-1], length)
        return Lists(first, self.number[np.repeat(self.first[chosen], length) + inside], self.known[chosen])


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
    def of_texts(cls, text: Any, n: int = 0) -> "Column":
        """A column of texts and nulls; None for `text`: n operations that have no such field."""
        n = n if text is None else len(text)
        return cls(constant(0, n, np.int64), constant(False, n, np.bool_), text)

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

    def only(self, rows: Mask) -> "Column":
        """The same with nothing outside `rows`."""
        if every(rows) or not np.greater(self.known, rows).any():
            return self
        kept = self.is_number & rows
        text = None if self.text is None else pc.if_else(pa.array(rows), self.text, None)
        return Column(np.where(kept, self.number, 0), kept, text)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """Lists of values: row i has `length[i]` of the items if `known[i]`, and none of them otherwise."""

    known: Mask
    length: Integers
    items: Column

    @classmethod
    def of_none(cls, n: int) -> "ListColumn":
        return cls(constant(False, n, np.bool_), constant(0, n, np.int64), Column.of_texts(None))

    def only(self, rows: Mask) -> "ListColumn":
        """The same with nothing outside `rows`."""
        kept = self.known & rows
        if np.array_equal(kept, self.known):
            return self
        return ListColumn(kept, np.where(kept, self.length, 0), self.items.take(np.repeat(kept, self.length)))


def column(values: Sequence[Any], is_number: Mask, is_text: Mask, *, coded: bool = True) -> Column:
    """The numbers and the texts among Python's values."""
    number, text = constant(0, len(values), np.int64), None
    if every(is_number):
        number = np.fromiter(values, np.int64, len(values))
    elif is_number.any():
        number = np.zeros(len(values), np.int64)
        number[is_number] = np.fromiter(compress(values, is_number.tobytes()), np.int64)
    if is_text.any():
        texts = values if every(is_text) else [value if type(value) is str else None for value in values]
        if not coded:
            text = pa.array(texts, pa.string())
        elif texts[0] is not None and texts.count(texts[0]) == len(texts):  # one text again and again: the fastest
            text = pa.DictionaryArray.from_arrays(np.zeros(len(texts), np.int32), pa.array(texts[:1], pa.string()))
        else:
            text = coded_or_null(texts)
    return Column(number, is_number, text)


def coded_or_null(values: Iterable[Any], write: Callable[[Any], str] = str) -> Any:
    """Python's values, dictionary-coded by the texts that `write` makes of them; None becomes null."""
    codes, table = encode(values, first=[None])
    index = pa.array(codes - 1, mask=codes == 0)
    return pa.DictionaryArray.from_arrays(index, pa.array(list(map(write, table[1:])), pa.string()))


def list_column(values: Sequence[Any], known: Mask) -> ListColumn:
    """The lists among Python's values."""
    length, chosen = np.zeros(len(values), np.int64), list(compress(values, known.tobytes()))
    length[known] = list(map(len, chosen))
    items = list(chain.from_iterable(chosen))
    number, text = (np.array([type(item) is kind for item in items], np.bool_) for kind in (int, str))
    return ListColumn(known, length, column(items, number, text))


def constant(value: Any, n: int, kind: Any) -> NDArray[Any]:
    """A broadcast array: n equal values, no copy."""
    return np.ndarray(n, kind, np.array(value, kind), strides=(0,))  # `broadcast_to` takes ten times as long


def every(mask: Mask) -> bool:
    """Whether a mask is true everywhere; for a constant one value is looked at."""
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


def plain_text(text: Any) -> Any:
    """Texts as an Arrow array that is not dictionary-coded."""
    return text.cast(pa.string()) if pa.types.is_dictionary(text.type) else text


def coded_text(text: Any) -> Any:
    """Texts as a dictionary-coded Arrow array, in one piece; texts are in the order in which they come."""
    coded = text if pa.types.is_dictionary(text.type) else text.dictionary_encode()
    return coded.unify_dictionaries().combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded


def own_texts(array: Any) -> Any:
    """The same array; a dictionary that is longer than it is made anew, without texts that no row here has."""
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > len(array):
        return array.dictionary_decode().dictionary_encode()
    return array


class Texts(Sequence[str | None]):
    """Many texts that stay in Arrow's memory and become Python's one by one; `first` stand before them."""

    def __init__(self, texts: Any, first: tuple[None, ...] = ()) -> None:
        self.arrow, self._first = texts, first

    def __len__(self) -> int:
        return len(self._first) + len(self.arrow)

    def __getitem__(self, place: int) -> str | None:  # type: ignore[override]
        place = range(len(self))[place] - len(self._first)
        return None if place < 0 else str(self.arrow[place].as_py())

    def at(self, places: Integers) -> list[Any]:
        """The texts at these places; ten times faster than one by one."""
        shown = places - len(self._first)
        texts = self.arrow.take(pa.array(shown, mask=shown < 0)).to_numpy(zero_copy_only=False)
        return list(texts.tolist())

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """The place of a text; raises ValueError if it is not there."""
        found = pc.index(self.arrow, value).as_py() if isinstance(value, str) else -1
        if found < 0:
            raise ValueError(f"{value!r} is not among the texts")
        return int(found) + len(self._first)


def table_of(texts: Any) -> Sequence[Any]:
    """The texts of an Arrow array as a table of a history."""
    return tuple(texts.to_pylist()) if len(texts) <= _FEW else Texts(texts)


def by_appearance(ids: NDArray[Any]) -> tuple[Codes, Integers]:
    """Codes of numbers in the order in which they appear, and the number that each stands for. O(n)."""
    coded = pa.array(ids).dictionary_encode()
    return np.asarray(coded.indices, np.int32), np.asarray(coded.dictionary, np.int64)


def renumbered(codes: NDArray[Any], count: int) -> tuple[NDArray[Any], Integers]:
    """Codes below `count` (-1: none) in the order in which they appear, and the old code of each new one. O(n).

    If all codes occur, each for the first time after all lower ones, the same array is given back.
    """
    highest = -1
    for begin in range(0, len(codes), _FEW):
        upto = np.maximum.accumulate(np.maximum(codes[begin : begin + _FEW], highest))
        if np.diff(upto, prepend=highest).max() > 1:
            break
        highest = int(upto[-1])
        if highest == count - 1:
            return codes, np.arange(count)
    known, new = codes >= 0, codes.copy()
    new[known], old = by_appearance(codes[known])
    return new, old


def code(columns: Sequence[Column]) -> tuple[list[Codes], Sequence[Any]]:
    """Codes of several columns over one table of values, in the order in which they appear; -1 where there is none."""
    none = pa.array([], pa.dictionary(pa.int32(), pa.string()))
    texts = [none if column.text is None else coded_text(column.text) for column in columns]
    chunks = pa.chunked_array(texts).unify_dictionaries().chunks if len(texts) > 1 else texts
    codes = np.concatenate([
        constant(-1, len(column), np.int32) if column.text is None else plain(chunk.indices, -1)
        for column, chunk in zip(columns, chunks, strict=True)
    ])  # fmt: skip
    words = chunks[0].dictionary
    numbers, all_numbers = by_appearance(np.concatenate([column.number[column.is_number] for column in columns]))
    if len(numbers):
        codes[np.concatenate([column.is_number for column in columns])] = numbers + len(words)
    codes, order = renumbered(codes, len(words) + len(all_numbers))
    if len(all_numbers):
        everything = [*words.to_pylist(), *all_numbers.tolist()]
        table: Sequence[Any] = tuple(everything[place] for place in order.tolist())
    else:
        ordered = len(order) == len(words) and (order[1:] > order[:-1]).all()
        table = table_of(words if ordered else words.take(pa.array(order)))
    return np.split(codes, np.cumsum([len(column) for column in columns])[:-1]), table


def value_columns(values: Mapping[str, Column], elements: ListColumn | None, n: int) -> dict[str, Any]:
    """The columns of `History` that hold values: numbers as they are, or all as codes if any of them is a text."""
    columns = {field: values[field] for field in VALUES if field in values and values[field].known.any()}
    columns.setdefault("result", Column.of_texts(None, n))
    everything = [*columns.values(), *([] if elements is None else [elements.items])]
    numbers, words = [column.number for column in everything], None
    if any(column.text is not None and len(column.text) > column.text.null_count for column in everything):
        codes, words = code(everything)
        numbers = [np.maximum(each, 0).astype(np.int64) for each in codes]
    made: dict[str, Any] = {"values": words}
    for (field, column), number in zip(columns.items(), numbers, strict=False):
        made |= {field: number, f"has_{field}": column.known}
    if elements is not None:
        first = np.concatenate(([0], np.cumsum(elements.length)))
        made["elements"] = Lists(first, numbers[-1], elements.known)
    return made
