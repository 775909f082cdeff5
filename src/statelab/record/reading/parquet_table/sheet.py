"""Parquet: all rows at once, by the rules for columns; a row that is refused is put into words by the strict reader."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from statelab.core.errors import BadInput
from statelab.record.columns import INF
from statelab.record.columns import STATUSES
from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.acceptance import Acceptance
from statelab.record.reading.acceptance import Codes8
from statelab.record.reading.acceptance import codes
from statelab.record.reading.columnar.column import Column
from statelab.record.reading.columnar.column import code
from statelab.record.reading.columnar.column import pa
from statelab.record.reading.columnar.merge import merged
from statelab.record.reading.columnar.ordered import ahead
from statelab.record.reading.columnar.ordered import in_order
from statelab.record.reading.columnar.sheet import Sheet
from statelab.record.reading.parquet_table.cells import Cells
from statelab.record.reading.parquet_table.file import Table
from statelab.record.reading.parquet_table.file import given_fields
from statelab.record.reading.parquet_table.file import served_by
from statelab.record.reading.rules import ANYTHING
from statelab.record.reading.rules import EMPTY
from statelab.record.reading.rules import FIELDS
from statelab.record.reading.rules import VALUES
from statelab.record.reading.rules import rules
from statelab.record.reading.strict import Refused
from statelab.record.reading.strict import Taker
from statelab.record.reading.words import listed
from statelab.record.shapes import Shapes

_REQUIRED = ("process", "op", "start", "status")


def row_number(row: int) -> str:
    return f"row {row + 1}"


class RefusedRow(Exception):
    """The first row that is not an operation of the model; it counts from 0 in its part."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


def sheet_of_table(source: Any, name: str, shapes: Shapes) -> Sheet:
    """All operations of a Parquet file; raises BadInput."""
    owned = {field for each in rules(shapes).values() for field, may in each.items() if may != ANYTHING}
    try:
        table = Table(source, owned)
        _require_columns(table, name)
        sheet = merged(_sheets(table, name, shapes), len(table))
        pa.default_memory_pool().release_unused()  # what the parts took, which nobody needs any more
        return sheet
    except (pa.ArrowException, OSError) as error:
        why = str(error).splitlines()[0]
        raise BadInput(f"{name}: not a whole Parquet file, or of another kind than can be read ({why})") from None


def _require_columns(table: Table, name: str) -> None:
    missing = [f'"{column}"' for column in _REQUIRED if column not in table.names]
    if missing:
        raise BadInput(f"{name}: there is no column {listed(missing)}")
    twice = [column for column in table.names if table.names.count(column) > 1]
    if twice:
        raise BadInput(f'{name}: there are two columns "{twice[0]}"')
    if not len(table):
        raise BadInput(f"{name}: no operations in it")


def _sheets(table: Table, name: str, shapes: Shapes) -> Iterator[Sheet]:
    """The sheets of the table's parts; raises BadInput for the first row that is refused."""
    before = 0
    try:
        with closing(ahead(table.parts())) as parts:
            for sheet in in_order(lambda rows: Part(rows, shapes).sheet(), parts):
                yield sheet
                before += len(sheet)
    except RefusedRow as refused:
        raise BadInput(f"{name}, {_refusal(table, before + refused.row, shapes)}") from None


def _refusal(table: Table, row: int, shapes: Shapes) -> str:
    try:
        Taker(shapes, null=EMPTY).take(given_fields(table.row(row)))
        why = "not an operation of the model"
    except Refused as refused:
        why = str(refused)
    return f"{row_number(row)}: {why}"


class Part:
    """Some rows on their way to a sheet."""

    def __init__(self, rows: Any, shapes: Shapes) -> None:
        self._rows, self._shapes = rows, shapes
        self._op = codes(rows.field("op").column, tuple(shapes.operations))
        self._status = codes(rows.field("status").column, STATUSES)
        self._accepted = Acceptance(shapes, self._op, self._status)

    def sheet(self) -> Sheet:
        """All operations, once each of them has been accepted."""
        arrays: dict[str, Any] = {"op": self._op, "status": self._status}
        arrays |= {field: self._stamps(field) for field in ("start", "end")}
        columns = {field: self._tested(field).column for field in ("process", "key", "op_id", "error")}
        timed_out = self._tested("timed_out").flag
        if self._shapes.repeating:
            columns["op_id"] = columns["op_id"].coded()  # in several threads, what else one alone would have to do
        columns |= self._servers()
        values = {field: self._tested(field) for field in VALUES if field == "result" or self._owned(field).any()}
        self._accepted.require_one({field: each.given for field, each in values.items()})
        answer = self._answers(values["result"])
        if self._accepted.refused.any():
            raise RefusedRow(int(self._accepted.refused.argmax()))
        arrays |= {} if timed_out is None else {"timed_out": timed_out == 1}
        arrays |= {} if answer is None else {"answer": answer}
        elements = values["result"].lists and values["result"].lists.only(self._owned("result"))
        columns |= {field: each.column.only(self._owned(field)) for field, each in values.items()}
        if answer is not None:
            columns["result"] = columns["result"].only(answer < 0)
        columns = {field: column for field, column in columns.items() if column.known.any()}
        return Sheet(tuple(self._shapes.operations), arrays, columns, elements)

    def _owned(self, field: str) -> Mask:
        return self._accepted.owned(field)

    def _tested(self, field: str) -> Cells:
        """One field, after the rows in which it does not fit have been marked as refused."""
        cells: Cells = self._rows.field(field)
        self._accepted.test(field, cells.holds())
        return cells

    def _stamps(self, field: str) -> Integers:
        """`start` or `end`, which is INF where there is none and must not be where there is one."""
        cells = self._tested(field)
        number, is_number = cells.column.number, cells.column.is_number
        self._accepted.refused |= is_number & (number == INF)
        return number if is_number.all() else np.where(is_number, number, INF)

    def _servers(self) -> dict[str, Column]:
        columns = self._rows.servers()
        if columns is None:
            return {}
        fields, held = served_by(columns)
        self._accepted.test("served_by", held)
        return {f"served_by.{name}": column for name, column in fields.items()}

    def _answers(self, result: Cells) -> Codes8 | None:
        """What yes-or-no operations answered, -1 for all others; None if there are none."""
        answered = self._accepted.answered()
        if isinstance(self._shapes.answers[0], bool):
            answer = result.flag
        else:
            answer = codes(result.column, self._shapes.answers)
            self._accepted.refused |= answered & result.column.is_text & (answer < 0)
        if answer is None or not answered.any():
            return None
        return np.where(answered, answer, np.int8(-1))


def sheet_of_our_own(path: Path) -> Sheet:
    """All operations of a Parquet file that `statelab.record.parquet.write` wrote, whatever their names are."""
    rows = Table(path, FIELDS).whole()
    fields = {field: rows.field(field) for field in FIELDS if field != "served_by"}
    (op,), ops = code([fields["op"].column])
    end, timed_out, result = fields["end"].column, fields["timed_out"].flag, fields["result"]
    servers = rows.servers()
    arrays: dict[str, Any] = {
        "op": op,
        "status": codes(fields["status"].column, STATUSES),
        "start": fields["start"].column.number,
        "end": np.where(end.is_number, end.number, INF),
        **({} if timed_out is None else {"timed_out": timed_out == 1}),
        **({} if result.flag is None else {"answer": result.flag}),
    }
    columns = {field: each.column for field, each in fields.items() if each.column.known.any() and field not in arrays}
    columns |= {f"served_by.{name}": column for name, column in served_by(servers)[0].items()} if servers else {}
    return Sheet(tuple(ops), arrays, {"process": fields["process"].column, **columns}, result.lists)
