"""A Parquet file, column by column: each field in a column of its name, of any type that fits it.

A column has one type, so a field may have several columns. Beside the numbers of `result` its texts may be in
`result_text`, what yes-or-no operations answered in `answer`, and lists in `elements`; `value_text` and the like too.
`served_by` is one column of structures, or `host`, `pid`, `thread`, `greenlet` and `boot` are columns of their own.
Texts in `process` may be JSON (`3` or `"a"`), if all of them are, so that a client can be a number or a text.
A row that the rules for columns refuse is put into words by the strict reader of single operations.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow.parquet

from statelab.core.errors import BadInput, listed
from statelab.core.foreign_names import MEANT, OTHERS
from statelab.core.memory import keep_freed
from statelab.core.operation import UNITS, ServedBy, Unit
from statelab.record import coding
from statelab.record.coding import pa, pc
from statelab.record.columns import INF, STATUSES, History
from statelab.record.reading import rules
from statelab.record.reading.consistency import checked
from statelab.record.reading.part import Cells, Part, RefusedRow, cells, codes, joined
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.sheet import Sheet, merged
from statelab.record.shapes import Shapes

pq: Any = pyarrow.parquet

_CODED = ("op", "key", "status", "process", "error", "host", "boot")
"""Columns in which the same texts are repeated many times."""

_ROWS = 2**16
"""How many rows are read at once: few enough that what is made of them stays in the processor's cache."""

COLUMNS = {
    "result": ("result", "result_text", "answer", "elements"),
    **{f: (f, f"{f}_text") for f in coding.VALUES[1:]},
}
"""The columns of fields that may have several."""


class TableRows:
    """Some rows of a table, as one Arrow array a column; `first` is the number of the first row."""

    def __init__(self, columns: Mapping[str, Any], count: int, first: int = 0) -> None:
        self._columns, self._count, self.first = columns, count, first

    def __len__(self) -> int:
        return self._count

    def field(self, field: str) -> Cells:
        """One field from all of its columns."""
        if field == "served_by":
            return self._server()
        there = [self._columns[name] for name in COLUMNS.get(field, (field,)) if name in self._columns]
        nothing = Cells(coding.Column.of_texts(None, len(self)), coding.constant(rules.EMPTY, len(self), np.uint8))
        return reduce(joined, map(cells, there)) if there else nothing

    def _server(self) -> Cells:
        """`served_by`, from its column or those of its fields: all five fields, nothing, or something else."""
        array = self._columns.get("served_by")
        if array is None:
            columns = [self._columns.get(name, pa.nulls(len(self))) for name in SERVER_FIELDS]
        else:
            whole = pa.types.is_struct(array.type) and {field.name for field in array.type} >= SERVER_FIELDS.keys()
            columns = [pc.struct_field(array, name) if whole else array for name in SERVER_FIELDS]
        read = list(map(cells, columns))
        kinds = {str: rules.TEXT, int: rules.NUMBER}
        right = [each.held == kinds[kind] for each, kind in zip(read, SERVER_FIELDS.values(), strict=True)]
        known = np.logical_and.reduce(right)
        given = np.logical_or.reduce([each.given for each in read])
        held = np.where(known, rules.SERVER, np.where(given, rules.OTHER, rules.EMPTY)).astype(np.uint8)
        if not known.any():
            return Cells(coding.Column.of_texts(None, len(self)), held)
        coded = [coding.code([each.column.take(known)]) for each in read]
        found = coded[0][0][0]
        for (own,), table in coded[1:]:  # one number for each pair, dense, so that none overflows
            found, _ = coding.by_appearance(found.astype(np.int64) * len(table) + own)
        first = np.zeros(int(found.max()) + 1, np.int64)
        first[found[::-1]] = np.arange(len(found))[::-1]  # the last that is written stays: the first row of a server
        named = zip(*([table[place] for place in own[first].tolist()] for (own,), table in coded), strict=True)
        index = np.zeros(len(self), np.int32)
        index[known] = found
        servers = pa.array([msgspec.json.encode(ServedBy(*values)).decode() for values in named])
        texts = pa.DictionaryArray.from_arrays(pa.array(index, mask=~known), servers)
        return Cells(coding.Column.of_texts(texts), held)


class Table:
    """A Parquet file; only those columns are read that hold one of the fields."""

    def __init__(self, source: Any, fields: Collection[str]) -> None:
        there = pq.read_schema(source).names
        self._file = pq.ParquetFile(source, read_dictionary=[name for name in _CODED if name in there])
        self.names: Sequence[str] = self._file.schema_arrow.names
        self.rows: int = self._file.metadata.num_rows
        wanted = {"served_by", *SERVER_FIELDS, *(name for field in fields for name in COLUMNS.get(field, (field,)))}
        self._wanted = [name for name in self.names if name in wanted]

    def whole(self) -> TableRows:
        """All rows at once."""
        read = self._file.read(columns=self._wanted)
        columns = {}
        for name, column in zip(read.column_names, read.columns, strict=True):
            coded = pa.types.is_dictionary(column.type)
            columns[name] = coding.coded_text(column) if coded else column.combine_chunks()
        return TableRows(columns, self.rows)

    def parts(self, groups: Sequence[int] | None = None) -> Iterator[TableRows]:
        """All rows, or those of some groups that follow each other, some at a time; dictionaries have no texts that
        only other rows of their group need."""
        first = sum(self._file.metadata.row_group(group).num_rows for group in range(groups[0] if groups else 0))
        for batch in self._file.iter_batches(_ROWS, row_groups=groups, columns=self._wanted, use_threads=True):
            columns = map(coding.own_texts, batch.columns)
            yield TableRows(dict(zip(batch.schema.names, columns, strict=True)), len(batch), first)
            first += len(batch)

    def pairs(self, column: str) -> Iterator[tuple[str, Any]]:
        """Each row's operation, and what it has in a column, as Python has them."""
        for batch in self._file.iter_batches(_ROWS, columns=["op", column]):
            yield from zip(batch["op"].to_pylist(), batch[column].to_pylist(), strict=True)

    def row(self, row: int) -> dict[str, Any]:
        """The fields of one row, null where it has none; raises Refused where two columns hold the same field."""
        for batch in self._file.iter_batches():
            if row < len(batch):
                break
            row -= len(batch)
        fields: dict[str, Any] = batch.slice(row, 1).to_pylist()[0]
        server = {name: fields.get(name) for name in SERVER_FIELDS}
        for field, columns in COLUMNS.items():
            given = [name for name in columns if fields.get(name) is not None]
            if len(given) > 1:
                raise rules.Refused(f'"{field}" is given in two columns, "{given[0]}" and "{given[1]}"')
            fields[field] = fields[given[0]] if given else None
        if any(value is not None for value in server.values()):
            fields.setdefault("served_by", server)
        return {name: fields.get(name) for name in (*rules.FIELDS, *fields)}


def row_number(row: int) -> str:
    return f"row {row + 1}"


def read_table(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    """The history in a Parquet file, which conforms to the shapes of the model.

    Raises BadInput with one line: the file's name, the row, what is wrong.
    """
    keep_freed()
    source = pa.PythonFile(stream, mode="r") if stream.seekable() else pa.BufferReader(stream.read())
    sheet = sheet_of_table(source, name, shapes)
    widened = is_widened(source)
    history = checked(sheet, name, row_number, shapes, may_overlap=widened)
    return replace(history, processes=clients(history.processes), unit=unit_of_table(source), widened=widened)


def sheet_of_table(source: Any, name: str, shapes: Shapes) -> Sheet:
    """All operations of a Parquet file; raises BadInput."""
    sheet = merged([sheet for _, sheet in sheets_of_table(source, name, shapes)])
    pa.default_memory_pool().release_unused()  # the memory of the parts, which nobody needs any more
    return sheet


def sheets_of_table(
    source: Any, name: str, shapes: Shapes, groups: Sequence[int] | None = None
) -> Iterator[tuple[int, Sheet]]:
    """The operations of a Parquet file, or of some of its groups of rows, some at a time, each with the number of its
    first row; raises BadInput at the first that is not one of the model's."""
    try:
        table = Table(source, rules.owned_fields(shapes))
        missing = [f'"{column}"' for column in rules.REQUIRED if column not in table.names]
        twice = [column for column in table.names if table.names.count(column) > 1]
        if missing:
            raise BadInput(f"{name}: there is no column {listed(missing)}")
        if twice:
            raise BadInput(f'{name}: there are two columns "{twice[0]}"')
        if not table.rows:
            raise BadInput(f"{name}: no operations in it")
        if not groups or groups[0] == 0:
            _require_no_more_meant(table, name, shapes)
        for rows in table.parts(groups):
            try:
                yield rows.first, Part(rows, shapes).sheet()
            except RefusedRow as refused:
                row = rows.first + refused.args[0]
                raise BadInput(f"{name}, {row_number(row)}: {_refusal(table, row, shapes)}") from None
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise BadInput(f"{name}: not a whole Parquet file, or of another kind than can be read ({why})") from None


WIDENED = "widened"


def is_widened(source: Any) -> bool:
    """Whether the file's metadata say that its intervals are as wide as clocks were uncertain."""
    return (pq.read_schema(source).metadata or {}).get(WIDENED.encode()) == b"yes"


def unit_of_table(source: Any) -> Unit | None:
    """The unit of the stamps that the file's metadata name, None if they name none that is known."""
    said = (pq.read_schema(source).metadata or {}).get(b"unit", b"").decode(errors="replace")
    return next((unit for unit in UNITS if unit == said), None)


def _require_no_more_meant(table: Table, name: str, shapes: Shapes) -> None:
    """Raises BadInput if a column that is not ours says something of an operation (see `MEANT`)."""
    for column in table.names:
        meaning = {op: MEANT.get(op, OTHERS)[column] for op in shapes.operations if column in MEANT.get(op, OTHERS)}
        if meaning:
            for row, (op, value) in enumerate(table.pairs(column)):
                if op in meaning and value not in (None, meaning[op]):
                    raise BadInput(f"{name}, {row_number(row)}: {_refusal(table, row, shapes)}")


def _refusal(table: Table, row: int, shapes: Shapes) -> str:
    try:
        rules.Taker(shapes, null=rules.EMPTY).take(table.row(row))
    except rules.Refused as refused:
        return str(refused)
    return "not an operation of the model"


def sheet_of_our_own(path: Path) -> Sheet:
    """All operations of a Parquet file that `statelab.record.parquet.write` wrote, whatever their names are."""
    rows = Table(path, rules.FIELDS).whole()
    fields = {field: rows.field(field) for field in rules.FIELDS}
    (op,), ops = coding.code([fields["op"].column])
    end, timed_out, result = fields["end"].column, fields["timed_out"].flag, fields["result"]
    arrays: dict[str, Any] = {
        "op": op,
        "status": codes(fields["status"].column, STATUSES),
        "start": fields["start"].column.number,
        "end": np.where(end.is_number, end.number, INF),
        **({} if timed_out is None else {"timed_out": timed_out == 1}),
        **({} if result.flag is None else {"answer": result.flag}),
    }
    columns = {field: each.column for field, each in fields.items() if each.column.known.any() and field not in arrays}
    return Sheet(tuple(ops), arrays, {"process": fields["process"].column, **columns}, result.lists)


def clients(processes: Sequence[Any]) -> Sequence[Any]:
    """The processes that texts stand for as JSON (`3` or `"a"`); the texts themselves unless all of them are that."""
    try:
        named = tuple(msgspec.json.decode(name, type=int | str) for name in processes)
    except (msgspec.MsgspecError, TypeError):
        return processes
    exact = all(json.dumps(client) == name for client, name in zip(named, processes, strict=True))
    return named if exact and all(type(client) is str or -(2**63) <= client < 2**63 for client in named) else processes
