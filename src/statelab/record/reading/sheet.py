"""n operations by their fields, on the way from a file to a history."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from statelab.core.operation import ServedBy
from statelab.record import coding
from statelab.record.coding import pa
from statelab.record.columns import History


@dataclass(frozen=True, slots=True)
class Sheet:
    """n operations by the fields of `Operation`; a field that none of them has is not there.

    `arrays` holds `start` and `end` as in `History`, and as codes `op` (into `ops`), `status`, `answer` (-1: none) and
    `timed_out`; `columns` holds `process`, `key`, those of `VALUES`, `op_id`, `error`, and `served_by`, as JSON;
    `elements` are the results that are lists.
    """

    ops: tuple[str, ...]
    arrays: dict[str, NDArray[Any]]
    columns: dict[str, coding.Column]
    elements: coding.ListColumn | None = None

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def nbytes(self) -> int:
        """About how many bytes the fields have."""
        held = [*self.columns.values(), *([] if self.elements is None else [self.elements.items])]
        texts = sum(int(column.text.nbytes) for column in held if column.text is not None)
        numbers = sum(column.number.nbytes for column in held if column.number.strides != (0,))
        return texts + numbers + sum(array.nbytes for array in self.arrays.values() if array.strides != (0,))

    def history(self, answers: tuple[bool | str, bool | str], *, ids_repeat: bool) -> History:
        """The same as a history. `ids_repeat`: an op_id may stand in several operations."""
        n, arrays, columns = len(self), self.arrays, self.columns
        (process,), processes = coding.code([columns["process"]])
        op, ops = coding.renumbered(arrays["op"], len(self.ops))
        key: coding.Codes = coding.constant(0, n, np.int32)
        keys: Sequence[Any] = ("",)[:n]
        if "key" in columns:
            names = columns["key"].text
            names = coding.plain_text(names).fill_null("") if names.null_count else names
            (key,), keys = coding.code([coding.Column.of_texts(names)])
        served_by, servers = _optional(columns.get("served_by"), n)
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
            timed_out=arrays.get("timed_out", coding.constant(False, n, np.bool_)),
            processes=processes,
            ops=tuple(self.ops[place] for place in ops.tolist()),
            keys=keys,
            servers=tuple(server and msgspec.json.decode(server, type=ServedBy) for server in servers),
            errors=tuple(errors),
            op_ids=op_ids,
            answer=arrays.get("answer"),
            answers=answers,
            **coding.value_columns(columns, self.elements, n),
        )


def _optional(column: coding.Column | None, n: int, *, once: bool = False) -> tuple[coding.Codes, Sequence[Any]]:
    """Codes of a column of texts, code 0 where there is none. `once`: all differ, so they need not be compared."""
    if column is None:
        return coding.constant(0, n, np.int32), (None,)
    if once:
        known = column.known
        codes = np.where(known, np.cumsum(known, dtype=np.int32), 0)
        names = coding.table_of(coding.plain_text(column.text).drop_null())
    else:
        (found,), names = coding.code([column])
        codes = found + 1
    return codes, coding.Texts(names.arrow, (None,)) if isinstance(names, coding.Texts) else (None, *names)


def merged(sheets: Sequence[Sheet]) -> Sheet:
    """The operations of some sheets (at least one) with the same `ops`, in order; the sheets are emptied.

    They are merged field by field, so that never more than one field is in memory twice.
    """
    sized = [(sheet, len(sheet)) for sheet in sheets]
    arrays, columns, elements = dict[str, NDArray[Any]](), dict[str, coding.Column](), None
    for name in dict.fromkeys(name for sheet in sheets for name in sheet.arrays):
        none = np.int8(-1) if name == "answer" else np.False_
        arrays[name] = _joined([sheet.arrays.pop(name, np.broadcast_to(none, n)) for sheet, n in sized])
    for name in dict.fromkeys(name for sheet in sheets for name in sheet.columns):
        columns[name] = _one([sheet.columns.pop(name, coding.Column.of_texts(None, n)) for sheet, n in sized])
    if any(sheet.elements for sheet in sheets):
        lists = [sheet.elements or coding.ListColumn.of_none(n) for sheet, n in sized]
        known, length = _joined([each.known for each in lists]), _joined([each.length for each in lists])
        elements = coding.ListColumn(known, length, _one([each.items for each in lists]))
    return Sheet(sheets[0].ops, arrays, columns, elements)


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays one after the other; equal constants stay one."""
    arrays = [array for array in parts if len(array)] or parts[:1]
    if len(arrays[0]) and not any(array.strides[0] for array in arrays) and len({array[0] for array in arrays}) == 1:
        return coding.constant(arrays[0][0], sum(map(len, arrays)), arrays[0].dtype)
    return np.concatenate(arrays)


def _one(columns: Sequence[coding.Column]) -> coding.Column:
    number, is_number = _joined([each.number for each in columns]), _joined([each.is_number for each in columns])
    kinds = {column.text.type for column in columns if column.text is not None}
    if not kinds:
        return coding.Column(number, is_number)
    kind = max(kinds, key=pa.types.is_dictionary)
    texts = [pa.nulls(len(column), kind) if column.text is None else column.text for column in columns]
    if pa.types.is_dictionary(kind):
        texts = [coding.coded_text(text) for text in texts]
    whole = pa.chunked_array(texts, kind)
    if pa.types.is_dictionary(kind) or whole.nbytes > coding.MOST_BYTES:
        return coding.Column(number, is_number, coding.coded_text(whole))
    return coding.Column(number, is_number, whole.combine_chunks())
