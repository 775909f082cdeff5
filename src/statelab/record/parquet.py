"""A history on disk: one Parquet file (zstd), a column per field, int64 stamps, dictionary-coded names.

Any Parquet reader can open it. Stamps and values grow little from row to row and are written as differences: such a
file is a quarter smaller, and faster to read and to write. An unknown `end`, a missing result and a missing server are
nulls. `process` holds JSON (3 or "a"), since a logical client may be a number or a text. Fields that an operation need
not have are there if any operation has them; where values are numbers and texts, the texts are in `value_text` and so
on. The metadata name the `unit` of the stamps, if it is known, and say if intervals are `widened`. See
`statelab.record.reading.table` for what such a file may look like in general.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
from numpy.typing import NDArray

from statelab.record.coding import VALUES, Texts, pa
from statelab.record.columns import INF, STATUSES, History, Integers, Mask
from statelab.record.reading.table import WIDENED, clients, is_widened, sheet_of_our_own, unit_of_table

pq: Any = pyarrow.parquet

_MOST_CODED = 2**16
"""With more texts than this they are written as they are: the writer repeats the whole table in each group of rows."""

_ROWS = 2**16

_IDS = ("pid", "thread", "greenlet")
_NAMES = ("host", "boot")
_ITEMS = ("elements.list.element", "elements.list.element.number", "elements.list.element.text")


def _coded(codes: NDArray[Any], table: Sequence[str | None]) -> Any:
    """A dictionary column; where the table begins with None, code 0 becomes null."""
    nullable = bool(table) and table[0] is None
    index = pa.array(codes.astype(np.int32) - nullable, mask=(codes == 0) if nullable else None)
    texts = table.arrow if isinstance(table, Texts) else pa.array(table[nullable:], pa.string())
    return pa.DictionaryArray.from_arrays(index, texts)


class _Values:
    """Values as Arrow arrays: numbers, texts, or both side by side."""

    def __init__(self, history: History) -> None:
        self._table = history.values
        table: Sequence[Any] = history.values or ()
        is_text = [isinstance(value, str) for value in table]
        numbers = [None if text else value for value, text in zip(table, is_text, strict=True)]
        self._numbers = pa.array(numbers, pa.int64())
        place = np.cumsum(is_text, dtype=np.int32) - 1
        self._code = pa.array(place, pa.int32(), mask=~np.array(is_text, np.bool_))
        self._texts = pa.array([value for value in table if isinstance(value, str)], pa.string())

    def parts(self, number: Integers, known: Mask) -> tuple[Any, Any]:
        """The numbers and the texts of a column; None where it has none of them."""
        places = pa.array(number, mask=~known)
        if self._table is None:
            return places, None
        numbers = self._numbers.take(places)
        texts = pa.DictionaryArray.from_arrays(self._code.take(places), self._texts)
        none, all_none = numbers.null_count == len(numbers), texts.null_count == len(texts)
        return (None if none else numbers), (texts if none or not all_none else None)

    def columns(self, name: str, number: Integers | None, known: Mask | None) -> dict[str, Any]:
        if number is None or known is None:
            return {}
        numbers, texts = self.parts(number, known)
        if texts is not None and len(self._texts) > _MOST_CODED:
            parts = [texts.slice(begin, _ROWS).dictionary_decode() for begin in range(0, len(texts), _ROWS)]
            texts = pa.chunked_array(parts, pa.string())  # in parts: an array holds 2 GiB of text
        columns = {name: texts} if numbers is None else {name: numbers, f"{name}_text": texts}
        return {column: array for column, array in columns.items() if array is not None}


def write(history: History, path: Path) -> None:
    """Writes the history to one file."""
    values, answer = _Values(history), np.full(len(history), -1) if history.answer is None else history.answer
    given = pa.array(answer.astype(np.int32), mask=answer < 0)
    answers = pa.DictionaryArray.from_arrays(given, pa.array(history.answers))
    columns = {
        "process": _coded(history.process, [json.dumps(process) for process in history.processes]),
        "op": _coded(history.op, history.ops),
        "key": _coded(history.key, history.keys),
        "start": pa.array(history.start),
        "end": pa.array(history.end, mask=history.end == INF),
        "status": _coded(history.status, STATUSES),
        "answer": answers.dictionary_decode() if isinstance(history.answers[0], bool) else answers,
        "op_id": _coded(history.op_id, history.op_ids).cast(pa.string()),
        "error": _coded(history.error, history.errors),
        "timed_out": pa.array(history.timed_out),
    }
    servers, nobody = [server for server in history.servers if server is not None], history.served_by == 0
    for name in _NAMES:
        columns[name] = _coded(history.served_by, (None, *(getattr(server, name) for server in servers)))
    for name in _IDS:
        ids = np.array([0, *(getattr(server, name) for server in servers)], np.int64)
        columns[name] = pa.array(ids[history.served_by], mask=nobody)
    if (lists := history.elements) is not None:
        numbers, texts = values.parts(lists.number, np.ones(len(lists.number), np.bool_))
        items = numbers if texts is None else texts.cast(pa.string())
        if numbers is not None and texts is not None:
            items = pa.StructArray.from_arrays([numbers, items], ["number", "text"])
        columns["elements"] = pa.LargeListArray.from_arrays(pa.array(lists.first), items, mask=pa.array(~lists.known))
    for name in VALUES:
        columns |= values.columns(name, getattr(history, name), getattr(history, f"has_{name}"))
    said = {"key": any(history.keys), "timed_out": history.timed_out.any(), "end": True}
    columns = {name: each for name, each in columns.items() if said.get(name, each.null_count < len(each))}
    said_of_all = {"unit": history.unit, WIDENED: "yes" if history.widened else None}
    metadata = {name: text for name, text in said_of_all.items() if text}
    table = pa.table(columns).replace_schema_metadata(metadata or None)
    numbers = [field.name for field in table.schema if pa.types.is_int64(field.type) and field.name not in _IDS]
    recurring = [field.name for field in table.schema if pa.types.is_dictionary(field.type)]
    pq.write_table(
        table,
        path,
        compression="zstd",
        write_statistics=False,
        use_dictionary=[*recurring, *_IDS, *_ITEMS],
        column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
    )


def read(path: Path) -> History:
    """The history that `write` wrote; its yes-or-no answers are those of `answers`."""
    history = sheet_of_our_own(path).history((False, True), ids_repeat=True)
    return replace(history, processes=clients(history.processes), unit=unit_of_table(path), widened=is_widened(path))
