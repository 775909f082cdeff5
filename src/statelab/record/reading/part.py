"""Some rows of a file by the rules for columns: which of them are operations of the model, and what they hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from statelab.record import coding
from statelab.record.coding import pa, pc
from statelab.record.columns import INF, OK, STATUSES
from statelab.record.reading import rules
from statelab.record.reading.sheet import Sheet
from statelab.record.shapes import Shapes

Codes8 = NDArray[np.int8]
Held = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Cells:
    """One field of some rows. `held` says what each row holds, as one bit of the rules (`EMPTY`: null or left out).

    `column` has the numbers and texts, `flag` what is true (1) or false (0; -1: neither), `lists` the lists of
    integers and texts.
    """

    column: coding.Column
    held: Held
    flag: Codes8 | None = None
    lists: coding.ListColumn | None = None

    @property
    def given(self) -> coding.Mask:
        """Where anything stands."""
        return holds(self.held, rules.ANYTHING ^ rules.EMPTY)


class Rows(Protocol):
    """Some rows of a file; `served_by` is given as the text of its JSON."""

    def __len__(self) -> int: ...
    def field(self, field: str) -> Cells: ...


def holds(held: Held, bits: int) -> coding.Mask:
    """Where one of the bits is held; a constant stays one."""
    if len(held) and not held.strides[0]:
        return coding.constant(held[:1] & bits != 0, len(held), np.bool_)
    found: coding.Mask = held & np.uint8(bits) != 0
    return found


def holding(bit: int, where: coding.Mask) -> Held:
    """That bit where the mask is true, and nothing elsewhere."""
    if coding.every(where) or not where.any():
        return coding.constant(bit if len(where) and where[0] else rules.EMPTY, len(where), np.uint8)
    return np.where(where, np.uint8(bit), np.uint8(rules.EMPTY))


def cells(array: Any) -> Cells:
    """What an Arrow array of any type holds."""
    kind, n, nothing, types = array.type, len(array), coding.Column.of_texts(None, len(array)), pa.types
    coded = types.is_dictionary(kind)
    texts = kind.value_type if coded else kind
    if types.is_string(texts) or types.is_large_string(texts) or types.is_string_view(texts):
        text = array.cast(pa.dictionary(pa.int32(), pa.string()) if coded else pa.string())
        (text.dictionary if coded else text).validate(full=True)  # Parquet files may hold texts that are not UTF-8
        return Cells(coding.Column.of_texts(text), holding(rules.TEXT, coding.valid(text)))
    if coded:
        return cells(array.dictionary_decode())
    if types.is_null(kind):
        return Cells(nothing, coding.constant(rules.EMPTY, n, np.uint8))
    if types.is_boolean(kind):
        return Cells(nothing, holding(rules.BOOL, coding.valid(array)), flag=coding.plain(array.cast(pa.int8()), -1))
    if types.is_integer(kind):
        number, there = coding.plain(array, 0), coding.valid(array)
        held = holding(rules.NUMBER, there)
        if types.is_uint64(kind) and (beyond := number > np.iinfo(np.int64).max).any():
            number, there, held = np.where(beyond, 0, number), there & ~beyond, np.where(beyond, rules.OTHER, held)
        return Cells(coding.Column(number.astype(np.int64, copy=False), there), held)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _lists(array)
    return Cells(nothing, holding(rules.OTHER, coding.valid(array)))


def _lists(array: Any) -> Cells:
    """Lists of integers, texts, or both, as `parquet.write` puts them into structures; all else is `OTHER`."""
    length, items = np.asarray(pc.list_value_length(array).fill_null(0), np.int64), array.flatten()
    if pa.types.is_struct(items.type) and {field.name for field in items.type} == {"number", "text"}:
        number, text = (cells(pc.struct_field(items, name)).column for name in ("number", "text"))
        column = coding.Column(number.number, number.is_number, text.text)
    else:
        column = cells(items).column
    held = holding(rules.LIST, coding.valid(array)).copy()
    held[np.repeat(np.arange(len(array)), length)[~column.known]] = rules.OTHER
    lists = coding.ListColumn(coding.valid(array), length, column).only(held == rules.LIST)
    return Cells(coding.Column.of_texts(None, len(array)), held, lists=lists)


def joined(left: Cells, right: Cells) -> Cells:
    """What two columns hold of one field; where both hold something, it is something else."""
    if not right.given.any() or not left.given.any():
        return left if left.given.any() else right
    held = np.where(left.given, left.held, right.held)
    held[left.given & right.given] = rules.OTHER
    if left.lists is not None and right.lists is not None:
        held[right.lists.known] = rules.OTHER
    one, other = left.column, right.column
    texts = [coding.plain_text(column.text) for column in (one, other) if column.text is not None]
    number = np.where(one.is_number, one.number, other.number)
    return Cells(
        coding.Column(number, one.is_number | other.is_number, pc.coalesce(*texts) if texts else None),
        held,
        right.flag if left.flag is None else left.flag,
        right.lists if left.lists is None else left.lists,
    )


def codes(column: coding.Column, names: tuple[object, ...]) -> Codes8:
    """For each text its place among the names; -1 for another text and for none."""
    if column.text is None:
        return np.full(len(column), -1, np.int8)
    coded = coding.coded_text(column.text)
    place = [names.index(text) if text in names else -1 for text in coded.dictionary.to_pylist()]
    found: Codes8 = np.array([*place, -1], np.int8)[coding.plain(coded.indices, -1)]
    return found


class RefusedRow(Exception):
    """The first row that is not an operation of the model; its argument counts from 0 in its part."""


class Part:
    """Some rows that become a sheet: each field is tested, and rows that hold in it what they must not are marked.

    A row's kind is `len(STATUSES)` times its operation, plus its status: so the rules are numbered.
    """

    def __init__(self, rows: Rows, shapes: Shapes) -> None:
        self._rows, self._shapes, self._rules = rows, shapes, list(rules.rules_of(shapes).values())
        self._op = codes(rows.field("op").column, tuple(shapes.operations))
        self._status = codes(rows.field("status").column, STATUSES)
        self._refused = (self._op < 0) | (self._status < 0)
        self._kind = np.where(self._refused, 0, self._op * np.int8(len(STATUSES)) + self._status)
        self._kinds = np.flatnonzero(np.bincount(self._kind))

    def sheet(self) -> Sheet:
        """All operations; raises RefusedRow if one of them is not of the model."""
        arrays: dict[str, Any] = {"op": self._op, "status": self._status}
        for field in ("start", "end"):
            column = self._tested(field).column
            self._refused |= column.is_number & (column.number == INF)  # INF stands for no end, so it is no stamp
            number = column.number
            arrays[field] = number if coding.every(column.is_number) else np.where(column.is_number, number, INF)
        columns = {field: self._tested(field).column for field in ("process", "key", "op_id", "error", "served_by")}
        timed_out = self._tested("timed_out").flag
        owned = {field: self._of(rule[field] != rules.ANYTHING for rule in self._rules) for field in coding.VALUES}
        values = {field: self._tested(field) for field in coding.VALUES if field == "result" or owned[field].any()}
        shapes, result = self._shapes.operations.values(), values["result"]
        for place, shape in enumerate(shapes):
            rows = self._of(kind // len(STATUSES) == place for kind in range(len(self._rules)))
            if shape.either:
                given = [values[field].given for field in shape.either if field in values]
                self._refused |= rows & (self._status == OK) & (np.sum(given, axis=0, dtype=np.int8) != 1)
        answered = self._of(shape.result == "answer" and status == "ok" for shape in shapes for status in STATUSES)
        answer = result.flag
        if not isinstance(self._shapes.answers[0], bool):
            answer = codes(result.column, self._shapes.answers)
            self._refused |= answered & result.column.is_text & (answer < 0)
        if self._refused.any():
            raise RefusedRow(int(self._refused.argmax()))
        elements = result.lists and result.lists.only(owned["result"])
        columns |= {field: each.column.only(owned[field]) for field, each in values.items()}
        if timed_out is not None:
            arrays["timed_out"] = timed_out == 1
        if answer is not None and answered.any():
            arrays["answer"] = np.where(answered, answer, np.int8(-1))
            columns["result"] = columns["result"].only(arrays["answer"] < 0)
        columns = {field: column for field, column in columns.items() if column.known.any()}
        return Sheet(tuple(self._shapes.operations), arrays, columns, elements)

    def _of(self, chosen: Iterable[bool]) -> coding.Mask:
        """The rows of some kinds; one value says of each kind whether it is chosen."""
        table = np.array(list(chosen), np.bool_)
        there = table[self._kinds]
        if there.all() or not there.any():
            return coding.constant(bool(there.any()), len(self._op), np.bool_)
        return table[self._kind]

    def _tested(self, field: str) -> Cells:
        """One field, after the rows in which it does not fit have been marked as refused."""
        found = self._rows.field(field)
        allowed = np.array([rule[field] for rule in self._rules], np.uint8)
        if found.held.strides[0] or not (allowed[self._kinds] & found.held[:1]).all():
            self._refused |= found.held & allowed[self._kind] == 0
        return found
