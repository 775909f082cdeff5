"""A history on disk: one Parquet file (zstd), a column per field, int64 nanoseconds, dictionary-coded names.

Any Parquet reader can open it. An unknown `end`, a missing result and a missing server are nulls. `process` holds JSON
(3 or "a"), since a logical client may be a number or a text.
"""

import json
from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray

from statelab.columns import INF
from statelab.columns import STATUSES
from statelab.columns import Codes
from statelab.columns import History
from statelab.columns import Mask
from statelab.history import ServedBy

pa: Any = pyarrow  # it has no annotations
pq: Any = pyarrow.parquet

_IDS = ("pid", "thread", "greenlet")
_NAMES = ("host", "boot")


def _coded(codes: NDArray[Any], table: Sequence[str | None]) -> Any:
    """A dictionary column; where the table begins with None, code 0 becomes null."""
    nullable = bool(table) and table[0] is None
    index = pa.array(codes.astype(np.int32) - nullable, mask=(codes == 0) if nullable else None)
    return pa.DictionaryArray.from_arrays(index, pa.array(table[nullable:], pa.string()))


def _server_columns(history: History) -> dict[str, Any]:
    unknown = history.served_by == 0
    known = [server for server in history.servers if server is not None]
    columns = {name: _coded(history.served_by, (None, *(getattr(server, name) for server in known))) for name in _NAMES}
    for name in _IDS:
        ids = np.array([0, *(getattr(server, name) for server in known)], np.int64)
        columns[name] = pa.array(ids[history.served_by], mask=unknown)
    return columns


def write(history: History, path: Path) -> None:
    """Writes the history to one file."""
    table = pa.table(
        {
            "process": _coded(history.process, [json.dumps(process) for process in history.processes]),
            "op": _coded(history.op, history.ops),
            "key": _coded(history.key, history.keys),
            "result": pa.array(history.result, mask=~history.has_result),
            "start": pa.array(history.start),
            "end": pa.array(history.end, mask=history.end == INF),
            "status": _coded(history.status, STATUSES),
            "op_id": _coded(history.op_id, history.op_ids),
            **_server_columns(history),
            "error": _coded(history.error, history.errors),
            "timed_out": pa.array(history.timed_out),
        }
    )
    pq.write_table(table, path, compression="zstd", write_statistics=False)


def _numbers(column: Any, missing: int = 0) -> NDArray[np.int64]:
    return np.asarray(column.fill_null(missing), np.int64)


def _valid(column: Any) -> Mask:
    return np.asarray(column.is_valid(), np.bool_)


def _decoded(column: Any, first: Sequence[Any] = ()) -> tuple[Codes, tuple[Any, ...]]:
    """Codes and table of a dictionary column; null becomes code 0 where `first` is [None]."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    codes = np.asarray(column.indices.fill_null(-len(first)), np.int64) + len(first)
    return codes.astype(np.int32), (*first, *column.dictionary.to_pylist())


def _servers(columns: dict[str, Any]) -> tuple[Codes, tuple[ServedBy | None, ...]]:
    """Codes and table of the servers, from the five columns that name them."""
    known = np.flatnonzero(_valid(columns["boot"]))
    parts = [np.asarray(columns[name].indices.fill_null(0)) for name in _NAMES]
    parts += [np.unique(_numbers(columns[name]), return_inverse=True)[1] for name in _IDS]
    packed = reduce(_pack, (part[known] for part in parts))
    _, first, inverse = np.unique(packed, return_index=True, return_inverse=True)
    codes = np.zeros(len(columns["boot"]), np.int32)
    codes[known] = inverse + 1
    rows = known[first]
    fields = (columns[name].take(pa.array(rows)).to_pylist() for name in ServedBy.__struct_fields__)
    return codes, (None, *(ServedBy(*values) for values in zip(*fields, strict=True)))


def _pack(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.int64]:
    """One number for each pair of numbers, dense, so that packing again cannot overflow."""
    width = int(right.max(initial=0)) + 1
    return np.unique(left.astype(np.int64) * width + right, return_inverse=True)[1]


def read(path: Path) -> History:
    """The history that `write` wrote."""
    table = pq.ParquetFile(path).read(use_threads=False).unify_dictionaries().combine_chunks()
    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    process, processes = _decoded(columns["process"])
    op, ops = _decoded(columns["op"])
    key, keys = _decoded(columns["key"])
    status, statuses = _decoded(columns["status"])
    served_by, servers = _servers(columns)
    error, errors = _decoded(columns["error"], first=[None])
    op_id, op_ids = _decoded(columns["op_id"], first=[None])
    return History(
        process=process,
        op=op,
        key=key,
        result=_numbers(columns["result"]),
        has_result=_valid(columns["result"]),
        start=_numbers(columns["start"]),
        end=_numbers(columns["end"], missing=INF),
        status=np.array([STATUSES.index(name) for name in statuses], np.int8)[status],
        served_by=served_by,
        error=error,
        op_id=op_id,
        op_ids=op_ids,
        timed_out=np.asarray(columns["timed_out"], np.bool_),
        processes=tuple(json.loads(text) for text in processes),
        ops=ops,
        keys=keys,
        servers=servers,
        errors=errors,
    )
