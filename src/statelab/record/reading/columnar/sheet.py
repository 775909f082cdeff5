"""All fields of some operations as columns, before they are coded: what every way of reading makes."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statelab.core.operation import ServedBy
from statelab.record.coding import Lists
from statelab.record.columns import Codes
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import by_appearance
from statelab.record.reading.columnar.column import code
from statelab.record.reading.columnar.column import constant
from statelab.record.reading.columnar.column import no_column
from statelab.record.reading.columnar.column import pa
from statelab.record.reading.columnar.column import plain_text
from statelab.record.reading.columnar.column import renumbered
from statelab.record.reading.columnar.column import table
from statelab.record.reading.columnar.column import with_none
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import VALUES

ARRAYS = {
    "op": np.int8,
    "status": np.int8,
    "start": np.int64,
    "end": np.int64,
    "answer": np.int8,
    "timed_out": np.bool_,
}
"""The columns of a sheet that are plain arrays."""


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
        key, keys = _named(columns.get("key"), n)
        served_by, servers = _servers(columns, n)
        error, errors = _optional(columns.get("error"), n)
        op_id, op_ids = (_optional if ids_repeat else _each_once)(columns.get("op_id"), n)
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


def _named(column: Column | None, n: int) -> tuple[Codes, Sequence[str]]:
    """Codes of the keys; where none is given it is the empty text."""
    if column is None:
        return constant(0, n, np.int32), ("",) if n else ()
    text = column.text if not column.text.null_count else plain_text(column.text).fill_null("")
    (codes,), names = code([Column.of_texts(text)])
    return codes, names


def _optional(column: Column | None, n: int) -> tuple[Codes, Sequence[Any]]:
    """Codes of a column of texts, code 0 where there is none."""
    if column is None:
        return constant(0, n, np.int32), (None,)
    (codes,), names = code([column])
    return codes + 1, with_none(names)


def _each_once(column: Column | None, n: int) -> tuple[Codes, Sequence[Any]]:
    """The same for texts of which each occurs once: they need not be compared."""
    if column is None:
        return constant(0, n, np.int32), (None,)
    known = column.known
    texts = plain_text(column.text).drop_null()
    return np.where(known, np.cumsum(known, dtype=np.int32), 0), with_none(table(texts))


def _servers(columns: Mapping[str, Column], n: int) -> tuple[Codes, tuple[ServedBy | None, ...]]:
    """Codes and table of the servers; an operation that names any of the fields names them all."""
    if "served_by.boot" not in columns:
        return constant(0, n, np.int32), (None,)
    named = {name: columns[f"served_by.{name}"] for name in SERVER_FIELDS}
    rows = np.flatnonzero(named["boot"].known)
    packed = reduce(_pack, (code([column])[0][0][rows] for column in named.values()))
    found, order = by_appearance(packed)
    codes, first = np.zeros(n, np.int32), np.zeros(len(order), np.int64)
    codes[rows] = found + 1
    first[found[::-1]] = rows[::-1]  # of several rows the last that is written stays: the first of that server
    fields = (_at(named[name], first, kind) for name, kind in SERVER_FIELDS.items())
    return codes, (None, *(ServedBy(*values) for values in zip(*fields, strict=True)))


def _pack(left: Codes, right: Codes) -> Codes:
    """One number for each pair of numbers, dense, so that packing again cannot overflow."""
    width = int(right.max(initial=0)) + 1
    return by_appearance(left.astype(np.int64) * width + right)[0]


def _at(column: Column, rows: Integers, kind: type) -> list[Any]:
    listed: list[Any] = column.text.take(pa.array(rows)).to_pylist() if kind is str else column.number[rows].tolist()
    return listed


def _value_columns(values: Mapping[str, Column], elements: ListColumn | None, n: int) -> dict[str, Any]:
    """The columns of `History` that hold values: numbers as they are, or all as codes if any of them is a text."""
    columns = {field: values[field] for field in VALUES if field in values and values[field].known.any()}
    columns.setdefault("result", no_column(n))
    items = [] if elements is None else [elements.items]
    everything = [*columns.values(), *items]
    numbers, words = [column.number for column in everything], None
    if any(column.text is not None and len(column.text.drop_null()) for column in everything):
        codes, words = code(everything)
        numbers = [np.maximum(each, 0).astype(np.int64) for each in codes]
    made: dict[str, Any] = {"values": words}
    for (field, column), number in zip(columns.items(), numbers, strict=False):
        made |= {field: number, f"has_{field}": column.known}
    if elements is not None:
        first = np.concatenate(([0], np.cumsum(elements.length)))
        made["elements"] = Lists(first, numbers[-1], elements.known)
    return made
