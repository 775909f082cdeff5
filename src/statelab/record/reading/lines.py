"""JSON Lines: msgspec decodes each line into a struct that has the model's fields, and whole columns are then tested.

What the struct cannot hold, and a line in which something is unusual, goes to the strict reader of single lines, which
takes it or says why not. Parquet is read faster: millions of operations a second.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress
from operator import attrgetter
from typing import Annotated, Any, BinaryIO, Literal

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from statelab.core.errors import BadInput
from statelab.core.memory import keep_freed
from statelab.core.operation import ServedBy
from statelab.record import coding
from statelab.record.columns import History
from statelab.record.reading import rules
from statelab.record.reading.consistency import checked
from statelab.record.reading.part import Cells, Held, Part, RefusedRow, holds
from statelab.record.reading.sheet import Sheet, merged
from statelab.record.shapes import Shapes

_Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_Value = _Integer | str | bool | None | list[_Integer | str] | UnsetType
_TYPES: dict[str, Any] = {
    "process": _Integer | str,
    "start": _Integer,
    "end": _Integer | None | UnsetType,
    "key": str | UnsetType,
    "op_id": str | None | UnsetType,
    "served_by": ServedBy | None | UnsetType,
    "error": str | None | UnsetType,
    "timed_out": bool | UnsetType,
    **dict.fromkeys(coding.VALUES, _Value),
}
_UNFIT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_EXACT = {rules.NUMBER: _Integer, rules.TEXT: str, rules.BOOL: bool, rules.SERVER: ServedBy}
_HELD: dict[Any, int] = {
    **{int: rules.NUMBER, str: rules.TEXT, bool: rules.BOOL, list: rules.LIST, type(None): rules.NULL},
    **{ServedBy: rules.SERVER, UnsetType: rules.MISSING},
}


class RefusedLine(Exception):
    """What is wrong in one line; `line` counts from 0 in its block."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


def read_lines(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    """The history in JSON Lines, which conforms to the shapes of the model; its unit is not known.

    Raises BadInput with one sentence: the file's name, the line, what is wrong.
    """
    keep_freed()
    reader, sheets, kept, before = LineReader(shapes), list[Sheet](), list[tuple[int, Sequence[int]]](), 0
    while lines := stream.readlines(2**20):  # so many bytes, and the rest of the line
        try:
            sheet, places = reader.read(lines)
        except RefusedLine as refused:
            raise BadInput(f"{name}, line {before + refused.line + 1}: {refused}") from None
        if places:
            sheets.append(sheet)
            kept.append((before, places))
        before += len(lines)
    if not sheets:
        raise BadInput(f"{name}: no operations in it")

    def place(row: int) -> str:
        for first, places in kept:
            if row < len(places):
                return f"line {first + places[row] + 1}"
            row -= len(places)
        raise IndexError(row)

    return replace(checked(merged(sheets), name, place, shapes), unit=None)


def record(line: bytes) -> Any:
    """What one line holds, exactly; raises Refused."""
    try:
        decoded = msgspec.json.decode(line)
        json.loads(line, object_pairs_hook=_named_once, parse_int=str, parse_float=str)
    except UnicodeDecodeError:
        raise rules.Refused("not UTF-8") from None
    except RecursionError:
        raise rules.Refused("nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise rules.Refused(f"not JSON ({error})") from None
    return decoded


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    """A field that is given twice is refused: programs differ in which of them they take."""
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            raise rules.Refused(f"the field {json.dumps(name)} is given twice")
        seen.add(name)


class _Form:
    """A struct for lines with these fields. `kinds` says what each field holds in every line, as one bit of the rules;
    0: whatever the model allows, or nothing."""

    def __init__(self, kinds: Mapping[str, int], types: Mapping[str, Any]) -> None:
        required = [(field, types.get(field, _EXACT.get(kind))) for field, kind in kinds.items() if kind in _EXACT]
        optional = [(field, _TYPES[field], UNSET) for field, kind in kinds.items() if kind not in _EXACT]
        self.struct: Any = msgspec.defstruct("Line", [*required, *optional], gc=False)
        self.kinds = {field: kinds[field] for field in self.struct.__struct_fields__}
        self.decoder: Any = msgspec.json.Decoder(self.struct)


class LineReader:
    """Reads the lines of one file for a model.

    In most files the lines are alike. So a block is first decoded with the fields and types of the blocks before it; if
    it fits, its values need no further look. If not, it is decoded with all that the model allows.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._taker = rules.Taker(shapes)
        self._literal = {"op": Literal[tuple(shapes.operations)], "status": Literal["ok", "fail", "info"]}
        fixed = {"op": rules.TEXT, "status": rules.TEXT, "start": rules.NUMBER}
        kinds = {field: fixed.get(field, 0) for field in (*fixed, *_TYPES) if field in rules.owned_fields(shapes)}
        self._usual = self._any = _Form(kinds, self._literal)
        self._rules = rules.rules_of(shapes)

    def read(self, lines: list[bytes]) -> tuple[Sheet, Sequence[int]]:
        """The operations in some lines, and the place of each among them: blank lines are left out.

        Raises RefusedLine for the first line that is not an operation of the model.
        """
        places: Sequence[int] = range(len(lines))
        rows, known = self._all(lines, self._usual), self._usual is not self._any
        if rows is None or not known:
            rows = self._all(lines, self._any) if rows is None else rows
            if rows is None:
                places = [place for place, line in enumerate(lines) if line.strip(b" \t\r\n")]
                rows = self._each(lines, places)
            before = self._usual.kinds if known else rows.kinds
            kinds = {field: before.get(field, 0) & rows.kinds.get(field, 0) for field in {**before, **rows.kinds}}
            self._usual = _Form(kinds, self._literal) if rows.kinds else self._usual
        return self._sheet(rows, lines, places), places

    def _sheet(self, rows: "_Rows", lines: list[bytes], places: Sequence[int]) -> Sheet:
        try:
            return Part(rows, self._shapes).sheet()
        except RefusedRow as refused:
            place = places[refused.args[0]]
            self._strictly(place, lines[place])
            raise RefusedLine(place, "not an operation of the model") from None

    def _all(self, lines: list[bytes], form: _Form) -> "_Rows | None":
        """All lines at once; None if there is anything in them that the struct does not say."""
        block = b"".join(lines)
        try:
            found = form.decoder.decode_lines(block)
        except _UNFIT:
            return None
        rows = _Rows(found, form)
        return rows if len(rows) == len(lines) and _names_at_most(block, rows.given) else None

    def _each(self, lines: list[bytes], places: Sequence[int]) -> "_Rows":
        """Lines one by one; the first that is refused may be one that is decoded without complaint."""
        found: list[Any] = []
        for place in places:
            try:
                row = self._any.decoder.decode(lines[place])
                usual = _names_at_most(lines[place], _Rows([row], self._any).given)
            except _UNFIT:
                usual = False
            try:
                found.append(row if usual else self._strictly(place, lines[place]))
            except RefusedLine:
                self._sheet(_Rows(found, self._any), lines, places)
                raise
        return _Rows(found, self._any)

    def _strictly(self, place: int, line: bytes) -> Any:
        """What the strict reader takes of a line, without the fields that are ignored; raises RefusedLine."""
        try:
            fields = record(line.removesuffix(b"\n"))
            operation = self._taker.take(fields)
        except rules.Refused as refused:
            raise RefusedLine(place, str(refused)) from None
        may = self._rules[operation.op, operation.status]
        own = {field: value for field, value in fields.items() if may.get(field, rules.ANYTHING) != rules.ANYTHING}
        return msgspec.convert(own, self._any.struct)


def _names_at_most(text: bytes, count: int) -> bool:
    """Whether lines name no more fields than that, for sure: then none is named twice, and none is unknown."""
    after_names = (b'":', b" :", b"\t:", b"\r:")  # one of these stands behind each name, and maybe in a text as well
    return text.count(b":") <= count or sum(map(text.count, after_names)) <= count


class _Rows:
    """Decoded lines, column by column, as `Part` asks for them.

    `kinds` says what each field that is there holds in all lines, as in `_Form`; `given` is how many fields the lines
    have in all.
    """

    def __init__(self, rows: list[Any], form: _Form) -> None:
        self._n, self._cells, self.kinds, self.given = len(rows), dict[str, Cells](), dict[str, int](), 0
        for field, kind in form.kinds.items():
            values = list(map(attrgetter(field), rows))
            types = [] if kind else list(map(type, values))
            if len(set(types)) == 1:
                kind = _HELD[types[0]]
            held: Held = coding.constant(kind, self._n, np.uint8)
            if not kind:
                held = np.fromiter(map(_HELD.__getitem__, types), np.uint8, self._n)
            if given := self._n - int(np.count_nonzero(held == rules.MISSING)):
                self._cells[field] = _cells(field, values, held)
                self.kinds[field] = kind if kind in _EXACT else 0
                self.given += given + len(rules.SERVER_FIELDS) * int(np.count_nonzero(held == rules.SERVER))

    def __len__(self) -> int:
        return self._n

    def field(self, field: str) -> Cells:
        """What each line holds in a field."""
        nothing = Cells(coding.Column.of_texts(None, self._n), coding.constant(rules.MISSING, self._n, np.uint8))
        return self._cells.get(field, nothing)


def _cells(field: str, values: list[Any], held: Held) -> Cells:
    """The values of a field as arrays."""
    if field == "served_by":
        servers = (None if server is UNSET else server for server in values)
        coded = coding.coded_or_null(servers, lambda server: msgspec.json.encode(server).decode())
        return Cells(coding.Column.of_texts(coded), held)
    flag = lists = None
    if (true_or_false := holds(held, rules.BOOL)).any():
        flag = np.full(len(held), -1, np.int8)
        flag[true_or_false] = list(compress(values, true_or_false.tobytes()))
    if (known := holds(held, rules.LIST)).any():
        lists = coding.list_column(values, known)
    found = coding.column(values, holds(held, rules.NUMBER), holds(held, rules.TEXT), coded=field != "op_id")
    return Cells(found, held, flag, lists)
