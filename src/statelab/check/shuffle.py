"""A shuffle on disk: brings the rows of many files together that have one key, or one client.

A task that reads some rows writes them into one file, sorted by bucket: a hash of the field by which they are brought
together. A partition is a range of buckets: of each file it is one stretch of rows, so that nothing else of the file is
read. The size of each bucket is known before the partitions are chosen; so none is larger than it may be, whatever the
keys are like. (The shuffle of MapReduce: Dean & Ghemawat 2004, "MapReduce: Simplified Data Processing on Large
Clusters", section 3, with buckets finer than the partitions.)

A file is written completely or not at all, and is named after its task: a task that is done again, because its worker
was killed, writes the same file.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from statelab.record import coding
from statelab.record.coding import pa, pc
from statelab.record.reading.sheet import Sheet, merged

BUCKETS = 2**14

_BUCKET, _ELEMENTS = "bucket", "elements"
_BITS = np.uint64(64 - 14)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: Knuth, "The Art of Computer Programming", 6.4


def bucket_of(column: coding.Column | None, n: int) -> NDArray[np.uint16]:
    """The bucket of each of n rows, the same in every process; a row that has no text is one of the empty text."""
    if column is None:
        return np.zeros(n, np.uint16)
    hashed = column.number.astype(np.uint64)
    if column.text is not None:
        coded = coding.coded_text(column.text)
        table = [crc32(text.encode()) for text in coded.dictionary.to_pylist()]
        codes = coding.plain(coded.indices, -1)
        hashed = np.where(codes < 0, hashed, np.array([*table, 0], np.uint64)[codes])
    return ((hashed * _SPREAD) >> _BITS).astype(np.uint16)


def write(sheet: Sheet, by: str, path: Path) -> NDArray[np.int64]:
    """Writes the rows in the order of their bucket; how many bytes each bucket has, shape `(BUCKETS,)`."""
    bucket = bucket_of(sheet.columns.get(by), len(sheet))
    order = np.argsort(bucket, kind="stable")
    arrays = {name: array.take(pa.array(order)) for name, array in _arrays(sheet).items()}
    bucket = bucket[order]
    rows = pa.RecordBatch.from_pydict({**arrays, _BUCKET: pa.array(bucket)})
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    with pa.OSFile(str(unfinished), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_batch(rows)
    unfinished.replace(path)
    size = sum((_bytes_of(array) for array in arrays.values()), np.zeros(len(sheet)))
    return np.bincount(bucket, size, minlength=BUCKETS).astype(np.int64)


def read(paths: Iterable[Path], ops: tuple[str, ...], low: int, high: int, keys: Sequence[str] | None = None) -> Sheet:
    """The rows in the buckets from `low` up to but without `high`, of which there are some, in the order of the files;
    with `keys` only those of these keys."""
    sheets = []
    for path in paths:
        with pa.memory_map(str(path)) as source:
            rows = _between(pa.ipc.open_file(source).get_batch(0), low, high)
            if keys is not None:
                rows = rows.filter(pc.is_in(coding.plain_text(rows["key:text"]).fill_null(""), pa.array(keys)))
            if len(rows):
                sheets.append(_sheet(_copied(rows), ops))
    return merged(sheets)


def sizes_of_keys(paths: Iterable[Path], bucket: int) -> dict[str, tuple[int, int]]:
    """How many rows and bytes each key of a bucket has."""
    found: dict[str, tuple[int, int]] = {}
    for path in paths:
        with pa.memory_map(str(path)) as source:
            rows = _between(pa.ipc.open_file(source).get_batch(0), bucket, bucket + 1)
            fields = [name for name in rows.schema.names if name != _BUCKET]
            size = sum((_bytes_of(rows[name]) for name in fields), np.zeros(len(rows)))
            key = coding.plain_text(rows["key:text"]).fill_null("") if "key:text" in fields else [""] * len(rows)
            (codes,), names = coding.code([coding.Column.of_texts(pa.array(key, pa.string()))])
            for name, count, each in zip(names, np.bincount(codes), np.bincount(codes, size), strict=True):
                rows_before, bytes_before = found.get(name, (0, 0))
                found[name] = rows_before + int(count), bytes_before + int(each)
    return found


def _between(rows: Any, low: int, high: int) -> Any:
    """The rows of a file that are in the buckets from `low` up to but without `high`."""
    begin, end = np.searchsorted(np.asarray(rows[_BUCKET]), np.array([low, high], np.uint16))
    return rows.slice(begin, end - begin)


def _copied(rows: Any) -> Any:
    """The same rows in memory of their own. What is left in the file would keep all of its pages that were ever touched
    in this process's memory, several MiB of each file."""
    rows = pa.RecordBatch.from_arrays(list(map(coding.own_texts, rows.columns)), rows.schema.names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    return pa.ipc.open_stream(sink.getvalue()).read_next_batch()


def _arrays(sheet: Sheet) -> dict[str, Any]:
    """The fields of a sheet as Arrow arrays: numbers and texts of one field side by side."""
    arrays = {name: pa.array(np.ascontiguousarray(array)) for name, array in sheet.arrays.items()}
    for name, column in sheet.columns.items():
        arrays |= {f"{name}:{kind}": array for kind, array in _of_column(column).items()}
    if sheet.elements is not None:
        items = _of_column(sheet.elements.items) or {"number": pa.nulls(0, pa.int64())}
        first = pa.array(np.concatenate(([0], np.cumsum(sheet.elements.length))))
        held = pa.StructArray.from_arrays(list(items.values()), list(items))
        arrays[_ELEMENTS] = pa.LargeListArray.from_arrays(first, held, mask=pa.array(~sheet.elements.known))
    return arrays


def _of_column(column: coding.Column) -> dict[str, Any]:
    number = pa.array(np.ascontiguousarray(column.number), mask=~column.is_number) if column.is_number.any() else None
    return {kind: array for kind, array in (("number", number), ("text", column.text)) if array is not None}


def _sheet(rows: Any, ops: tuple[str, ...]) -> Sheet:
    """The rows as a sheet again."""
    arrays: dict[str, NDArray[Any]] = {}
    held: dict[str, dict[str, Any]] = {}
    elements = None
    for name in rows.schema.names:
        field, _, kind = name.partition(":")
        if name == _ELEMENTS:
            items = rows[name].flatten()
            parts = {each.name: pc.struct_field(items, each.name) for each in items.type}
            length = np.asarray(pc.list_value_length(rows[name]).fill_null(0), np.int64)
            elements = coding.ListColumn(coding.valid(rows[name]), length, _column(parts, len(items)))
        elif kind:
            held.setdefault(field, {})[kind] = rows[name]
        elif name != _BUCKET:
            arrays[name] = rows[name].to_numpy(zero_copy_only=False)
    return Sheet(ops, arrays, {name: _column(parts, len(rows)) for name, parts in held.items()}, elements)


def _column(held: dict[str, Any], n: int) -> coding.Column:
    text = held.get("text")
    if "number" not in held:
        return coding.Column.of_texts(text, n)
    return coding.Column(coding.plain(held["number"], 0), coding.valid(held["number"]), text)


def _bytes_of(array: Any) -> NDArray[np.float64]:
    """How many bytes each row of a column has."""
    kind, types = array.type, pa.types
    if types.is_string(kind):
        length = np.asarray(pc.binary_length(array).fill_null(0), np.float64)
        return length + 4.0
    if types.is_large_list(kind):
        items = array.flatten()
        each = float(items.nbytes / max(1, len(items)))
        length = np.asarray(pc.list_value_length(array).fill_null(0), np.float64)
        size: NDArray[np.float64] = length * each + 8.0
        return size
    return np.full(len(array), 4.0 if types.is_dictionary(kind) else max(1, kind.bit_width // 8))
