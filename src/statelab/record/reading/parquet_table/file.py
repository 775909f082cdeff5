"""A Parquet file, column by column: each field in a column of its name, of any type that fits it.

A column has one type, so a field may have several columns. Beside the numbers of `result` its texts may be in
`result_text`, what yes-or-no operations answered in `answer`, and lists in `elements`; `value_text` and the like too.
`served_by` is one column of structures, or `host`, `pid`, `thread`, `greenlet` and `boot` are columns of their own.
Texts in `process` may be JSON (`3` or `"a"`), if all of them are, so that a client can be a number or a text.
"""

import json
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from statelab.core.operation import Value
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import no_column
from statelab.record.reading.columnar.column import pa
from statelab.record.reading.columnar.column import pc
from statelab.record.reading.columnar.column import valid
from statelab.record.reading.parquet_table.cells import Cells
from statelab.record.reading.parquet_table.cells import cells
from statelab.record.reading.parquet_table.cells import joined
from statelab.record.reading.rules import EMPTY
from statelab.record.reading.rules import FIELDS
from statelab.record.reading.rules import OTHER
from statelab.record.reading.rules import SERVER
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import VALUES
from statelab.record.reading.strict import Refused

pq: Any = pyarrow.parquet

_CODED = ("op", "key", "status", "process", "error", "host", "boot")
"""Columns whose texts come again and again."""

_ROWS = 2**16
"""So many rows are read at once: few enough that what is made of them stays in the processor's cache."""

COLUMNS = {"result": ("result", "result_text", "answer", "elements"), **{f: (f, f"{f}_text") for f in VALUES[1:]}}
"""The columns of fields that may have several."""


class Rows:
    """Some rows of a table, as one Arrow array a column."""

    def __init__(self, columns: Mapping[str, Any], count: int) -> None:
        self._columns, self._count = columns, count

    def __len__(self) -> int:
        return self._count

    def field(self, field: str) -> Cells:
        """One field from all of its columns."""
        there = [self._columns[name] for name in COLUMNS.get(field, (field,)) if name in self._columns]
        return reduce(joined, map(cells, there)) if there else Cells(no_column(len(self)))

    def servers(self) -> Mapping[str, Any] | None:
        """The columns of `served_by` by the names of its fields, None if nobody says who served."""
        if "served_by" in self._columns:
            array = self._columns["served_by"]
            whole = pa.types.is_struct(array.type) and {field.name for field in array.type} >= SERVER_FIELDS.keys()
            columns = {name: pc.struct_field(array, name) if whole else array for name in SERVER_FIELDS}
        else:
            columns = {name: self._columns.get(name, pa.nulls(len(self))) for name in SERVER_FIELDS}
        return None if all(array.null_count == len(self) for array in columns.values()) else columns


class Table:
    """A Parquet file; only those columns are read that hold one of the fields."""

    def __init__(self, source: Any, fields: Collection[str]) -> None:
        there = pq.read_schema(source).names
        self._file = pq.ParquetFile(source, read_dictionary=[name for name in _CODED if name in there])
        self.names: Sequence[str] = self._file.schema_arrow.names
        wanted = {name for field in fields for name in COLUMNS.get(field, (field,))} | {*SERVER_FIELDS, "served_by"}
        self._wanted = [name for name in self.names if name in wanted]

    def __len__(self) -> int:
        rows: int = self._file.metadata.num_rows
        return rows

    def whole(self) -> Rows:
        """All rows at once."""
        read = self._file.read(columns=self._wanted)
        return Rows({name: _one(read.column(name)) for name in self._wanted}, len(self))

    def parts(self) -> Iterator[Rows]:
        """All rows, some at a time."""
        for batch in self._file.iter_batches(_ROWS, columns=self._wanted, use_threads=True):
            yield Rows(dict(zip(batch.schema.names, map(_own, batch.columns), strict=True)), len(batch))

    def row(self, row: int) -> dict[str, Any]:
        """All columns of one row, as they are."""
        for batch in self._file.iter_batches():
            if row < len(batch):
                record: dict[str, Any] = batch.slice(row, 1).to_pylist()[0]
                return record
            row -= len(batch)
        raise IndexError(row)


def _own(part: Any) -> Any:
    """A part of a column without the texts that only others need: it comes with those of its whole group of rows."""
    if not pa.types.is_dictionary(part.type) or len(part.dictionary) <= len(part):
        return part
    return part.dictionary_decode().dictionary_encode()


def _one(column: Any) -> Any:
    """A column as one array."""
    return (column.unify_dictionaries() if pa.types.is_dictionary(column.type) else column).combine_chunks()


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


def clients(processes: Sequence[Any]) -> Sequence[Any]:
    """The processes that texts stand for as JSON; the texts themselves unless all of them are that."""
    named = [_client(name) if isinstance(name, str) else None for name in processes]
    return processes if any(client is None for client in named) else tuple(named)


def _client(text: str) -> Value | None:
    """The number or text that is exactly this JSON, None if there is none."""
    try:
        client = json.loads(text)
    except (ValueError, RecursionError):
        return None
    fits = type(client) in (int, str) and json.dumps(client) == text
    return client if fits and (isinstance(client, str) or -(2**63) <= client < 2**63) else None
