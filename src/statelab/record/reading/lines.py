"""JSON Lines: msgspec decodes each line into a struct that has the model's fields, and whole columns are then tested.

What the struct cannot hold, and a line in which something is unusual, goes to the strict reader of single lines, which
takes it or says why not. A reader of millions of operations a second is that of Parquet.
"""

import json
from bisect import bisect_right
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from itertools import compress
from operator import attrgetter
from typing import Annotated
from typing import Any
from typing import BinaryIO
from typing import Literal

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec import UnsetType

from statelab.core.errors import BadInput
from statelab.core.operation import ServedBy
from statelab.record.coding import encode
from statelab.record.reading import rules
from statelab.record.reading.columnar import Column
from statelab.record.reading.columnar import ListColumn
from statelab.record.reading.columnar import Sheet
from statelab.record.reading.columnar import constant
from statelab.record.reading.columnar import every
from statelab.record.reading.columnar import merged
from statelab.record.reading.columnar import pa
from statelab.record.reading.part import Cells
from statelab.record.reading.part import Held
from statelab.record.reading.part import Part
from statelab.record.reading.part import RefusedRow
from statelab.record.reading.part import holds
from statelab.record.shapes import Shapes

BLOCK = 2**20
"""So many bytes are read at once."""

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
    **dict.fromkeys(rules.VALUES, _Value),
}
_UNFIT = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)

_HELD: dict[Any, int] = {
    **{int: rules.NUMBER, str: rules.TEXT, bool: rules.BOOL, list: rules.LIST, type(None): rules.NULL},
    **{ServedBy: rules.SERVER, UnsetType: rules.MISSING},
}
_FIXED = {"op": rules.TEXT, "status": rules.TEXT, "start": rules.NUMBER}
"""What fields hold that can hold nothing else."""

_SPACE = b" \t\r"

_AFTER_NAMES = (b'":', b" :", b"\t:", b"\r:")
"""One of these stands behind each name of a field. They may stand in a text as well."""


class RefusedLine(Exception):
    """What is wrong in one line; `line` counts from 0 in its block."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class LineNumbers:
    """The line (from 1) of each row: `blank[i]` is the row that comes after the i-th blank line."""

    blank: list[int]

    def of(self, row: int) -> int:
        """The same, from 0."""
        return row + bisect_right(self.blank, row)

    def __call__(self, row: int) -> str:
        return f"line {self.of(row) + 1}"


def sheet_of_lines(stream: BinaryIO, name: str, shapes: Shapes) -> tuple[Sheet, LineNumbers]:
    """All operations of a stream of lines, and where each of them stood; raises BadInput."""
    reader, sheets, blank, before, rows = LineReader(shapes), list[Sheet](), list[int](), 0, 0
    for block in _blocks(stream):
        try:
            sheet, skipped = reader.read(block)
        except RefusedLine as refused:
            raise BadInput(f"{name}, line {before + refused.line + 1}: {refused}") from None
        blank += [rows + line - number for number, line in enumerate(skipped)]
        before, rows = before + block.count(b"\n"), rows + len(sheet)
        sheets += [sheet] if len(sheet) else []
    if not rows:
        raise BadInput(f"{name}: no operations in it")
    return merged(sheets), LineNumbers(blank)


def _blocks(stream: BinaryIO) -> Iterator[bytes]:
    """The bytes of a stream in blocks of whole lines, each of which ends with a line break, even the last."""
    begun: list[bytes] = []
    while block := stream.read(BLOCK):
        lines, newline, rest = block.rpartition(b"\n")
        if newline:
            yield b"".join((*begun, lines, newline))
            begun.clear()
        begun.append(rest)
    if any(begun):
        yield b"".join((*begun, b"\n"))


def record(line: bytes) -> Any:
    """What one line holds, exactly; raises Refused."""
    try:
        decoded = msgspec.json.decode(line)
        if isinstance(decoded, dict) and line.count(b":") > _names(decoded):
            json.loads(line, object_pairs_hook=_named_once, parse_int=str, parse_float=str)
    except UnicodeDecodeError:
        raise rules.Refused("not UTF-8") from None
    except RecursionError:
        raise rules.Refused("nested too deeply") from None
    except msgspec.MsgspecError as error:
        raise rules.Refused(f"not JSON ({error})") from None
    return decoded


def _names(decoded: dict[str, Any]) -> int:
    """How many fields an object has, with those of objects in it. One that is given twice counts once."""
    return len(decoded) + sum(len(value) for value in decoded.values() if isinstance(value, dict))


def _named_once(pairs: list[tuple[str, Any]]) -> None:
    """A field that is given twice is refused: programs differ in which of them they take."""
    seen = set[str]()
    for name, _ in pairs:
        if name in seen:
            raise rules.Refused(f"the field {json.dumps(name)} is given twice")
        seen.add(name)


class LineReader:
    """Reads the lines of one file for a model."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._taker = rules.Taker(shapes)
        types = {
            "op": Literal[tuple(shapes.operations)],
            "status": Literal["ok", "fail", "info"],
            **{field: kind for field, kind in _TYPES.items() if field in rules.owned_fields(shapes)},
        }
        self._types = types
        self._struct = self._narrow = self._struct_of(types)
        self._decode = msgspec.json.Decoder(self._struct).decode
        self._seen = set(rules.REQUIRED)
        self._rules = rules.rules_of(shapes)

    def _struct_of(self, fields: Collection[str]) -> Any:
        """A struct with these fields of the model's; one that a line need not have is UNSET where it has not."""
        given = [(field, self._types[field]) for field in fields if field in rules.REQUIRED]
        optional = [(field, self._types[field], UNSET) for field in fields if field not in rules.REQUIRED]
        return msgspec.defstruct("Line", [*given, *optional], gc=False)

    def read(self, block: bytes) -> tuple[Sheet, list[int]]:
        """The operations in whole lines, and which of the lines are blank.

        Raises RefusedLine for the first line that is not an operation of the model.
        """
        lines, blank = block.split(b"\n")[:-1], list[int]()
        rows = self._all(lines, block, self._narrow) or self._all(lines, block, self._struct)
        if rows is None:
            blank = [place for place, line in enumerate(lines) if not line.strip(_SPACE)]
            left = [self._one(place, line) for place, line in enumerate(lines) if line.strip(_SPACE)]
            rows = _Rows(left, self._struct)
        if not rows.fields <= self._seen:
            self._seen |= rows.fields
            self._narrow = self._struct_of(self._seen)
        try:
            return Part(rows, self._shapes).sheet(), blank
        except RefusedRow as refused:
            place = LineNumbers([line - number for number, line in enumerate(blank)]).of(refused.row)
            self._strictly(place, lines[place])
            raise RefusedLine(place, "not an operation of the model") from None

    def _all(self, lines: list[bytes], block: bytes, struct: Any) -> "_Rows | None":
        """All lines at once; None if there is anything in them that the struct does not say."""
        try:
            rows = _Rows(list(map(msgspec.json.Decoder(struct).decode, lines)), struct)
        except _UNFIT:
            return None
        return rows if _names_at_most(block, rows.given) else None

    def _one(self, place: int, line: bytes) -> Any:
        """One line of a block in which something is unusual; raises RefusedLine."""
        try:
            row = self._decode(line)
            usual = _names_at_most(line, _Rows([row], self._struct).given)
        except _UNFIT:
            usual = False
        return row if usual else self._strictly(place, line)

    def _strictly(self, place: int, line: bytes) -> Any:
        """What the strict reader takes of a line, without the fields that are ignored; raises RefusedLine."""
        try:
            fields = record(line)
            operation = self._taker.take(fields)
        except rules.Refused as refused:
            raise RefusedLine(place, str(refused)) from None
        may = self._rules[operation.op, operation.status]
        return msgspec.convert(
            {f: v for f, v in fields.items() if may.get(f, rules.ANYTHING) != rules.ANYTHING}, self._struct
        )


def _names_at_most(text: bytes, count: int) -> bool:
    """Whether lines name no more fields than that, for sure: then none is named twice, and none is unknown."""
    return text.count(b":") <= count or sum(map(text.count, _AFTER_NAMES)) <= count


class _Rows:
    """Decoded lines, column by column, as `Part` asks for them."""

    def __init__(self, rows: list[Any], struct: Any) -> None:
        self._n = len(rows)
        columns = {field: list(map(attrgetter(field), rows)) for field in struct.__struct_fields__}
        held = {field: _held(values, _FIXED.get(field)) for field, values in columns.items()}
        given = {field: self._n - int(np.count_nonzero(each == rules.MISSING)) for field, each in held.items()}
        self._columns = {field: (values, held[field]) for field, values in columns.items() if given[field]}
        self.fields = self._columns.keys()
        self.given = sum(given.values())
        """How many fields the lines have in all, those of `served_by` included."""
        if "served_by" in self.fields:
            self.given += len(rules.SERVER_FIELDS) * int(np.count_nonzero(held["served_by"] == rules.SERVER))

    def __len__(self) -> int:
        return self._n

    def servers(self) -> dict[str, Any] | None:
        """The columns of `served_by` by the names of its fields, None if nobody says who served."""
        values, _ = self._columns.get("served_by", ((), None))
        code, servers = encode((None if server is UNSET else server for server in values), first=[None])
        if len(servers) == 1:
            return None
        places = pa.array(code - 1, mask=code == 0)
        columns = {name: pa.array([getattr(server, name) for server in servers[1:]]) for name in rules.SERVER_FIELDS}
        return {name: pa.DictionaryArray.from_arrays(places, column) for name, column in columns.items()}

    def field(self, field: str) -> Cells:
        """What each line holds in a field."""
        if field not in self.fields:
            return Cells(Column.of_texts(None, self._n), constant(rules.MISSING, self._n, np.uint8))
        values, held = self._columns[field]
        column, flag, lists = _column(values, held, coded=field != "op_id"), None, None
        if (true_or_false := holds(held, rules.BOOL)).any():
            flag = np.full(self._n, -1, np.int8)
            flag[true_or_false] = list(compress(values, true_or_false.tobytes()))
        if (known := holds(held, rules.LIST)).any():
            length, chosen = np.zeros(self._n, np.int64), list(compress(values, known.tobytes()))
            length[known] = list(map(len, chosen))
            items = list(chain.from_iterable(chosen))
            lists = ListColumn(known, length, _column(items, _held(items)))
        return Cells(column, held, flag, lists)


def _held(values: Sequence[Any], kind: int | None = None) -> Held:
    """What each value is, as one bit of the rules; one for all if they are of one kind, which may be known."""
    kinds = {kind} if kind else set(map(_HELD.__getitem__, set(map(type, values))))
    if len(kinds) == 1:
        return constant(kinds.pop(), len(values), np.uint8)
    return np.fromiter(map(_HELD.__getitem__, map(type, values)), np.uint8, len(values))


def _column(values: Sequence[Any], held: Held, *, coded: bool = True) -> Column:
    """The numbers and the texts among values."""
    n, is_number, is_text = len(values), holds(held, rules.NUMBER), holds(held, rules.TEXT)
    number, text = constant(0, n, np.int64), None
    if every(is_number):
        number = np.fromiter(values, np.int64, n)
    elif is_number.any():
        number = np.zeros(n, np.int64)
        number[is_number] = np.fromiter(compress(values, is_number.tobytes()), np.int64)
    if is_text.any():
        text = pa.array(values if every(is_text) else [v if type(v) is str else None for v in values], pa.string())
    return Column(number, is_number, text.dictionary_encode() if coded and text is not None else text)
