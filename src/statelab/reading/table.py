"""A Parquet file, column by column: each field in a column of its name, of any type that fits it.

A column has one type, so a field may have several columns. Beside the numbers of `result` its texts may be in
`result_text`, what yes-or-no operations answered in `answer`, and lists in `elements`; `value_text` and the like too.
`served_by` is one column of structures, or `host`, `pid`, `thread`, `greenlet` and `boot` are columns of their own.
Texts in `process` may be JSON (`3` or `"a"`), if all of them are, so that a client can be a number or a text.
"""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from statelab.history import Value
from statelab.reading.cells import Cells
from statelab.reading.cells import cells
from statelab.reading.cells import joined
from statelab.reading.column import Column
from statelab.reading.column import coded_text
from statelab.reading.column import pa
from statelab.reading.column import pc
from statelab.reading.column import valid
from statelab.reading.record import Refused
from statelab.reading.rules import EMPTY
from statelab.reading.rules import FIELDS
from statelab.reading.rules import OTHER
from statelab.reading.rules import SERVER
from statelab.reading.rules import SERVER_FIELDS
from statelab.reading.rules import VALUES

pq: Any = pyarrow.parquet

_CODED = ("op", "key", "status", "process", "error", "host", "boot")
"""Columns whose texts come again and again."""

COLUMNS = {"result": ("result", "result_text", "answer", "elements"), **{f: (f, f"{f}_text") for f in VALUES[1:]}}
"""The columns of fields that may have several."""


class Table:
    """The columns of one Parquet file; each is read when it is asked for, so that they are not in memory twice."""

    def __init__(self, source: Any) -> None:
        self._file = pq.ParquetFile(source, read_dictionary=list(_CODED))
        self.names: Sequence[str] = self._file.schema_arrow.names

    def __len__(self) -> int:
        rows: int = self._file.metadata.num_rows
        return rows

    def array(self, name: str) -> Any:
        """One column as one Arrow array."""
        column = self._file.read(columns=[name]).column(name)
        return (column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column).combine_chunks()

    def field(self, field: str) -> Cells | None:
        """One field from all of its columns, None if it has none."""
        there = [cells(self.array(name)) for name in COLUMNS.get(field, (field,)) if name in self.names]
        if not there:
            return None
        return _from_json(there[0]) if field == "process" else reduce(joined, there)

    def servers(self) -> Mapping[str, Any] | None:
        """The columns of `served_by` by the names of its fields, None if there is none."""
        if "served_by" in self.names:
            array = self.array("served_by")
            whole = pa.types.is_struct(array.type) and {field.name for field in array.type} >= SERVER_FIELDS.keys()
            return {name: pc.struct_field(array, name) if whole else array for name in SERVER_FIELDS}
        if not SERVER_FIELDS.keys() & set(self.names):
            return None
        none = pa.nulls(len(self))
        return {name: self.array(name) if name in self.names else none for name in SERVER_FIELDS}

    def row(self, row: int) -> dict[str, Any]:
        """All columns of one row, as they are."""
        for batch in self._file.iter_batches():
            if row < len(batch):
                record: dict[str, Any] = batch.slice(row, 1).to_pylist()[0]
                return record
            row -= len(batch)
        raise IndexError(row)


def served_by(columns: Mapping[str, Any]) -> tuple[Mapping[str, Column], NDArray[np.uint8]]:
    """The fields of `served_by`, and what each operation holds in it: all five fields, nothing, or something else."""
    read = {name: cells(array) for name, array in columns.items()}
    right = [
        each.column.is_text if SERVER_FIELDS[name] is str else each.column.is_number for name, each in read.items()
    ]
    given = np.logical_or.reduce([valid(array) for array in columns.values()])
    held = np.where(np.logical_and.reduce(right), SERVER, np.where(given, OTHER, EMPTY))
    return {name: each.column for name, each in read.items()}, held.astype(np.uint8)


def given_fields(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of one row, null where it has none; raises Refused where two columns hold the same field."""
    fields = dict(row)
    for field, columns in COLUMNS.items():
        given = [name for name in columns if row.get(name) is not None]
        if len(given) > 1:
            raise Refused(f'"{field}" is given in two columns, "{given[0]}" and "{given[1]}"')
        fields[field] = row[given[0]] if given else None
    server = {name: row.get(name) for name in SERVER_FIELDS}
    if any(value is not None for value in server.values()):
        fields.setdefault("served_by", server)
    return {name: fields.get(name) for name in FIELDS}


def _from_json(process: Cells) -> Cells:
    """The processes that texts stand for as JSON; the texts themselves unless all of them are that."""
    if process.column.text is None:
        return process
    coded = coded_text(process.column.text)
    named = [_client(text) for text in coded.dictionary.to_pylist()]
    if any(client is None for client in named):
        return process
    is_number = np.array([isinstance(client, int) for client in named], np.bool_)
    numbers = np.array([client if isinstance(client, int) else 0 for client in named], np.int64)
    texts = pa.array([client if isinstance(client, str) else None for client in named], pa.string())
    known, place = valid(coded.indices), np.asarray(coded.indices.fill_null(0))
    text = None if is_number.all() else texts.take(coded.indices)
    return Cells(Column(numbers[place], is_number[place] & known, text))


def _client(text: str | None) -> Value | None:
    """The number or text that is exactly this JSON, None if there is none."""
    try:
        client = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    fits = type(client) in (int, str) and json.dumps(client) == text
    return client if fits and (isinstance(client, str) or -(2**63) <= client < 2**63) else None
