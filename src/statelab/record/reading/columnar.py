"""Fields of many operations as arrays before they are coded, and how a history is made of them."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from functools import reduce
from typing import Any
from typing import overload

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from statelab.core.operation import ServedBy
from statelab.record.coding import Lists
from statelab.record.coding import Table
from statelab.record.columns import Codes
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import VALUES

pa: Any = pyarrow  # it has no annotations
pc: Any = pyarrow.compute

MOST_BYTES = 2**31 - 1
"""So much text fits into one Arrow array."""

_FEW = 2**16


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


@dataclass(frozen=True, slots=True)
class ListColumn:
    """Lists of values: row i has `length[i]` of the items if `known[i]`, and none of them otherwise."""

    known: Mask
    length: Integers
    items: Column

    def only(self, rows: Mask) -> "ListColumn":
        """The same with nothing outside `rows`."""
        kept = self.known & rows
        if np.array_equal(kept, self.known):
            return self
        return ListColumn(kept, np.where(kept, self.length, 0), self.items.take(np.repeat(kept, self.length)))


def constant(value: Any, n: int, kind: Any) -> NDArray[Any]:
    """A broadcast array: n equal values, no copy."""
    return np.broadcast_to(np.array(value, kind), n)


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
    if isinstance(text, pa.StringArray) and len(text) > _FEW and not text.null_count:
        first = first_equal(text)
        new = first == np.arange(len(text))
        indices = (np.cumsum(new, dtype=np.int32) - np.int32(1))[first]
        return pa.DictionaryArray.from_arrays(pa.array(indices), text.filter(pa.array(new)), safe=False)
    coded = text if pa.types.is_dictionary(text.type) else text.dictionary_encode()
    return coded.unify_dictionaries().combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded


def first_equal(texts: Any) -> Integers:
    """For each text of an Arrow array without nulls the row of the first one that is equal. O(n).

    Equal texts end with the same bytes. So each share of the texts, by their last two bytes, is coded alone: one hash
    table of all of them would be far larger than the processor's cache.
    """
    first = np.arange(len(texts))
    if not len(texts):
        return first
    offsets, content = texts.buffers()[1:]
    stop = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    padded = np.concatenate((np.zeros(2, np.uint8), np.frombuffer(content or b"", np.uint8)))
    length, last, before = np.diff(stop), padded[stop[1:] + 1], padded[stop[1:]]
    share = np.where(length > 0, last, 0) * np.uint8(31) + np.where(length > 1, before, 0)
    order = np.argsort(share, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(share))[:-1]):
        codes = np.asarray(texts.take(pa.array(rows)).dictionary_encode().indices)
        own = np.zeros(len(rows), np.int64)
        own[codes[::-1]] = rows[::-1]  # the last that is written stays: the first row of that text
        first[rows] = own[codes]
    return first


class Texts(Table[str | None]):
    """Many texts that stay as Arrow has them, and become Python's one by one; `first` come before them."""

    def __init__(self, texts: Any, first: tuple[None, ...] = ()) -> None:
        self.arrow, self._first = texts, first

    def __len__(self) -> int:
        return len(self._first) + len(self.arrow)

    @property
    def size(self) -> int:
        return int(self.arrow.nbytes)

    @overload
    def __getitem__(self, place: int) -> str | None: ...
    @overload
    def __getitem__(self, place: slice) -> list[str | None]: ...
    def __getitem__(self, place: int | slice) -> str | list[str | None] | None:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        place = range(len(self))[place] - len(self._first)
        return None if place < 0 else str(self.arrow[place].as_py())

    def at(self, places: Integers) -> list[str | None]:
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


def _table(texts: Any) -> Sequence[Any]:
    """The texts of an Arrow array as a table of a history."""
    return tuple(texts.to_pylist()) if len(texts) <= _FEW else Texts(texts)


def _by_appearance(ids: NDArray[Any]) -> tuple[Codes, Integers]:
    """Codes of numbers in the order in which they appear, and the number that each stands for. O(n)."""
    coded = pa.array(ids).dictionary_encode()
    return np.asarray(coded.indices, np.int32), np.asarray(coded.dictionary, np.int64)


def renumbered(codes: NDArray[Any], count: int) -> tuple[NDArray[Any], Integers]:
    """Codes below `count` (-1: none) in the order in which they appear, and the old code of each new one. O(n).

    If each code already occurs, and for the first time after all lower ones, the same array is given back.
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
    new[known], old = _by_appearance(codes[known])
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
    numbers, all_numbers = _by_appearance(np.concatenate([column.number[column.is_number] for column in columns]))
    if len(numbers):
        codes[np.concatenate([column.is_number for column in columns])] = numbers + len(words)
    codes, order = renumbered(codes, len(words) + len(all_numbers))
    if len(all_numbers):
        everything = [*words.to_pylist(), *all_numbers.tolist()]
        table: Sequence[Any] = tuple(everything[place] for place in order.tolist())
    else:
        ordered = len(order) == len(words) and (order[1:] > order[:-1]).all()
        table = _table(words if ordered else words.take(pa.array(order)))
    return np.split(codes, np.cumsum([len(column) for column in columns])[:-1]), table


@dataclass(frozen=True, slots=True)
class Sheet:
    """n operations by the fields of `Operation`; a field that none of them has is not there.

    `arrays` holds `start` and `end` as in `History`, and as codes `op` (into `ops`), `status`, `answer` (-1: none) and
    `timed_out`; `columns` holds `process`, `key`, those of `VALUES`, `op_id`, `error`, and the fields of `served_by` as
    `served_by.pid`; `elements` are the results that are lists.
    """

    ops: tuple[str, ...]
    arrays: dict[str, NDArray[Any]]
    columns: dict[str, Column]
    elements: ListColumn | None = None

    def __len__(self) -> int:
        return len(self.arrays["end"])

    def history(self, answers: tuple[bool | str, bool | str], *, ids_repeat: bool) -> History:
        """The same as a history. `ids_repeat`: an op_id may stand in several operations."""
        n, arrays, columns = len(self), self.arrays, self.columns
        (process,), processes = code([columns["process"]])
        op, ops = renumbered(arrays["op"], len(self.ops))
        key: Codes = constant(0, n, np.int32)
        keys: Sequence[Any] = ("",)[:n]
        if "key" in columns:
            names = columns["key"].text
            names = plain_text(names).fill_null("") if names.null_count else names
            (key,), keys = code([Column.of_texts(names)])
        served_by, servers = _servers(columns, n)
        error, errors = _optional(columns.get("error"), n)
        op_id, op_ids = _optional(columns.get("op_id"), n, once=not ids_repeat)
        return History(
            process=process,
            op=op,
            key=key,
            start=arrays["start"],
            end=arrays["end"],
            status=arrays["status"],
            served_by=served_by,
            error=error,
            op_id=op_id,
            timed_out=arrays.get("timed_out", constant(False, n, np.bool_)),
            processes=processes,
            ops=tuple(self.ops[place] for place in ops.tolist()),
            keys=keys,
            servers=servers,
            errors=tuple(errors),
            op_ids=op_ids,
            answer=arrays.get("answer"),
            answers=answers,
            **_value_columns(columns, self.elements, n),
        )


def _optional(column: Column | None, n: int, *, once: bool = False) -> tuple[Codes, Sequence[Any]]:
    """Codes of a column of texts, code 0 where there is none. `once`: all differ, so they need not be compared."""
    if column is None:
        return constant(0, n, np.int32), (None,)
    if once:
        known = column.known
        codes = np.where(known, np.cumsum(known, dtype=np.int32), 0)
        names = _table(plain_text(column.text).drop_null())
    else:
        (found,), names = code([column])
        codes = found + 1
    return codes, Texts(names.arrow, (None,)) if isinstance(names, Texts) else (None, *names)


def _servers(columns: Mapping[str, Column], n: int) -> tuple[Codes, tuple[ServedBy | None, ...]]:
    """Codes and table of the servers; an operation that names any of the fields names them all."""
    if "served_by.boot" not in columns:
        return constant(0, n, np.int32), (None,)
    rows = np.flatnonzero(columns["served_by.boot"].known)
    coded = [code([columns[f"served_by.{name}"]]) for name in SERVER_FIELDS]
    fields = [codes[rows] for (codes,), _ in coded]

    def pack(left: Codes, right: Codes) -> Codes:
        """One number for each pair of numbers, dense, so that packing again cannot overflow."""
        return _by_appearance(left.astype(np.int64) * (int(right.max(initial=0)) + 1) + right)[0]

    found, order = _by_appearance(reduce(pack, fields))
    codes, first = np.zeros(n, np.int32), np.zeros(len(order), np.int64)
    codes[rows] = found + 1
    first[found[::-1]] = np.arange(len(rows))[::-1]  # the last that is written stays: the first row of that server
    named = ([table[place] for place in own[first].tolist()] for own, (_, table) in zip(fields, coded, strict=True))
    return codes, (None, *(ServedBy(*values) for values in zip(*named, strict=True)))


def _value_columns(values: Mapping[str, Column], elements: ListColumn | None, n: int) -> dict[str, Any]:
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


def merged(sheets: Sequence[Sheet]) -> Sheet:
    """The operations of some sheets (at least one) with the same `ops`, in order; the sheets are emptied.

    One field after the other, so that no more than one of them is in memory twice.
    """
    sized = [(sheet, len(sheet)) for sheet in sheets]
    arrays, columns, elements = dict[str, NDArray[Any]](), dict[str, Column](), None
    for name in dict.fromkeys(name for sheet in sheets for name in sheet.arrays):
        none = np.int8(-1) if name == "answer" else np.False_
        arrays[name] = _joined([sheet.arrays.pop(name, np.broadcast_to(none, n)) for sheet, n in sized])
    for name in dict.fromkeys(name for sheet in sheets for name in sheet.columns):
        columns[name] = _one([sheet.columns.pop(name, Column.of_texts(None, n)) for sheet, n in sized])
    if any(sheet.elements for sheet in sheets):
        no_items = Column.of_texts(None)
        lists = [
            sheet.elements or ListColumn(constant(False, n, np.bool_), constant(0, n, np.int64), no_items)
            for sheet, n in sized
        ]
        known, length = _joined([each.known for each in lists]), _joined([each.length for each in lists])
        elements = ListColumn(known, length, _one([each.items for each in lists]))
    return Sheet(sheets[0].ops, arrays, columns, elements)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays one after the other; equal constants stay one."""
    arrays = [array for array in parts if len(array)] or parts[:1]
    if len(arrays[0]) and not any(array.strides[0] for array in arrays) and len({array[0] for array in arrays}) == 1:
        return constant(arrays[0][0], sum(map(len, arrays)), arrays[0].dtype)
    return np.concatenate(arrays)


def _one(columns: Sequence[Column]) -> Column:
    number, is_number = _joined([each.number for each in columns]), _joined([each.is_number for each in columns])
    kinds = {column.text.type for column in columns if column.text is not None}
    if not kinds:
        return Column(number, is_number)
    kind = max(kinds, key=pa.types.is_dictionary)
    texts = [pa.nulls(len(column), kind) if column.text is None else column.text for column in columns]
    if pa.types.is_dictionary(kind):
        texts = [coded_text(text) for text in texts]
    whole = pa.chunked_array(texts, kind)
    if pa.types.is_dictionary(kind) or whole.nbytes > MOST_BYTES:
        return Column(number, is_number, coded_text(whole))
    return Column(number, is_number, whole.combine_chunks())
