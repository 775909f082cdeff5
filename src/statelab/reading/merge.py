"""Sheets one after the other, as one sheet."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statelab.reading.column import Column
from statelab.reading.column import constant
from statelab.reading.column import no_column
from statelab.reading.column import pa
from statelab.reading.sheet import ARRAYS
from statelab.reading.sheet import ListColumn
from statelab.reading.sheet import Sheet

_UNLESS_GIVEN = {"answer": -1, "timed_out": False}


def merged(sheets: Sequence[Sheet]) -> Sheet:
    """All operations of some sheets (at least one) that have the same `ops`, in order.

    The sheets are taken apart on the way, so that not all columns are in memory twice.
    """
    sizes = [len(sheet) for sheet in sheets]
    elements = _lists([sheet.elements for sheet in sheets], sizes)
    columns = {
        name: _column([sheet.columns.pop(name, None) for sheet in sheets], sizes)
        for name in _names(sheet.columns for sheet in sheets)
    }
    arrays = {
        name: _array([sheet.arrays.pop(name, None) for sheet in sheets], sizes, name)
        for name in _names(sheet.arrays for sheet in sheets)
    }
    return Sheet(sheets[0].ops, arrays, columns, elements)


def _names(tables: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(name for names in tables for name in names))


def _array(arrays: list[NDArray[Any] | None], sizes: list[int], name: str) -> NDArray[Any]:
    missing = _UNLESS_GIVEN.get(name, 0)
    parts = [constant(missing, n, ARRAYS[name]) if a is None else a for a, n in zip(arrays, sizes, strict=True)]
    return np.concatenate(parts)


def _column(columns: list[Column | None], sizes: list[int]) -> Column:
    parts = [no_column(n) if column is None else column for column, n in zip(columns, sizes, strict=True)]
    texts = [part.text for part in parts if part.text is not None]
    number, is_number = constant(0, sum(sizes), np.int64), constant(False, sum(sizes), np.bool_)
    if any(part.is_number.any() for part in parts):
        number, is_number = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("number", "is_number")
        )
    if not texts:
        return Column(number, is_number)
    kind = texts[0].type
    chunks = [pa.nulls(len(part), kind) if part.text is None else part.text for part in parts]
    return Column(number, is_number, pa.chunked_array(chunks).unify_dictionaries().combine_chunks())


def _lists(lists: list[ListColumn | None], sizes: list[int]) -> ListColumn | None:
    if not any(lists):
        return None
    none = np.zeros(0, np.int64)
    parts = [
        ListColumn(np.zeros(n, np.bool_), np.zeros(n, np.int64), Column(none, none > 0)) if column is None else column
        for column, n in zip(lists, sizes, strict=True)
    ]
    items = _column([part.items for part in parts], [len(part.items) for part in parts])
    return ListColumn(
        np.concatenate([part.known for part in parts]), np.concatenate([part.length for part in parts]), items
    )
