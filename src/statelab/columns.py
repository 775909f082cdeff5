"""A history as columns: what the checkers read, and what a run folder keeps as one Parquet file per cell."""

from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Literal
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from statelab.history import Operation
from statelab.history import ServedBy
from statelab.history import Status

Integers = NDArray[np.int64]
Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]
Rows = Integers | Mask | slice
Level = Literal["whole", "host", "process", "thread", "greenlet", "request"]

INF = int(np.iinfo(np.int64).max)
"""The end of an operation whose outcome is unknown."""

STATUSES: tuple[Status, ...] = ("ok", "fail", "info")
OK, FAIL, INFO = range(len(STATUSES))

LEVELS: tuple[Level, ...] = ("whole", "host", "process", "thread", "greenlet", "request")
"""Who may have a copy of the state of his own, from coarse to fine."""

_IDENTITY: dict[Level, tuple[str, ...]] = {
    "host": ("host",),
    "process": ("boot",),  # a pid comes again, a boot id does not
    "thread": ("boot", "thread"),
    "greenlet": ("boot", "thread", "greenlet"),
}

T = TypeVar("T", bound=Hashable)


def encode(values: Iterable[T], first: Sequence[T] = ()) -> tuple[Codes, tuple[T, ...]]:
    """Dictionary-codes values: value i is `table[codes[i]]`; the table begins with `first`."""
    listed = list(values)
    position = {value: code for code, value in enumerate(dict.fromkeys([*first, *listed]))}
    return np.fromiter(map(position.__getitem__, listed), np.int32, len(listed)), tuple(position)


def _objects(values: list[Any]) -> NDArray[np.object_]:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class History:
    """All operations of one cell, one array per field and one row per operation (shape `(n,)`, times in ns).

    A name is a code into its table: `history.ops[history.op[i]]`. Code 0 of `servers` and of `errors` is None.
    `end` is INF where it is unknown; `result` means something only where `has_result`.
    """

    process: Codes
    op: Codes
    key: Codes
    result: Integers
    has_result: Mask
    start: Integers
    end: Integers
    status: NDArray[np.int8]
    served_by: Codes
    error: Codes
    op_id: NDArray[np.object_]
    timed_out: Mask
    processes: tuple[int | str, ...]
    ops: tuple[str, ...]
    keys: tuple[str, ...]
    servers: tuple[ServedBy | None, ...]
    errors: tuple[str | None, ...]

    @classmethod
    def from_operations(cls, operations: Sequence[Operation]) -> "History":
        """The same operations in the same order, as columns."""
        n = len(operations)
        process, processes = encode(o.process for o in operations)
        op, ops = encode(o.op for o in operations)
        key, keys = encode(o.key for o in operations)
        served_by, servers = encode((o.served_by for o in operations), first=[None])
        error, errors = encode((o.error for o in operations), first=[None])
        status, _ = encode((o.status for o in operations), first=STATUSES)
        return cls(
            process=process,
            op=op,
            key=key,
            result=np.fromiter((o.result or 0 for o in operations), np.int64, n),
            has_result=np.fromiter((o.result is not None for o in operations), np.bool_, n),
            start=np.fromiter((o.start for o in operations), np.int64, n),
            end=np.fromiter((INF if o.end is None else o.end for o in operations), np.int64, n),
            status=status.astype(np.int8),
            served_by=served_by,
            error=error,
            op_id=_objects([o.op_id for o in operations]),
            timed_out=np.fromiter((o.timed_out for o in operations), np.bool_, n),
            processes=processes,
            ops=ops,
            keys=keys,
            servers=servers,
            errors=errors,
        )

    def __len__(self) -> int:
        return len(self.start)

    def operation(self, row: int) -> Operation:
        """Row `row` as the operation it was made from."""
        end = int(self.end[row])
        return Operation(
            process=self.processes[self.process[row]],
            op=self.ops[self.op[row]],
            key=self.keys[self.key[row]],
            result=int(self.result[row]) if self.has_result[row] else None,
            start=int(self.start[row]),
            end=None if end == INF else end,
            status=STATUSES[self.status[row]],
            op_id=self.op_id[row],
            served_by=self.servers[self.served_by[row]],
            error=self.errors[self.error[row]],
            timed_out=bool(self.timed_out[row]),
        )

    def operations(self, rows: Iterable[int] | None = None) -> list[Operation]:
        """The operations of some rows, or of all."""
        return [self.operation(row) for row in (range(len(self)) if rows is None else rows)]

    def take(self, rows: Rows) -> "History":
        """The history of some rows (indices, a mask or a slice); the tables stay as they are."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _COLUMNS})

    def is_op(self, name: str) -> Mask:
        """Which rows are operations of that name."""
        code = self.ops.index(name) if name in self.ops else -1
        return np.equal(self.op, code)

    def grouped_by(self, level: Level) -> Integers:
        """For each row the number of its server at that level, or -1 where nobody is known to have served it.

        `whole` puts every row into group 0, `request` every served row into its own. Numbers of one level follow the
        order of `servers`, so two levels that part the rows alike give equal arrays.
        """
        if level == "whole":
            return np.zeros(len(self), np.int64)
        if level == "request":
            return np.where(self.served_by == 0, -1, np.arange(len(self)))
        fields = _IDENTITY[level]
        known = [tuple(getattr(server, field) for field in fields) for server in self.servers[1:]]
        return np.concatenate(([-1], encode(known)[0])).astype(np.int64)[self.served_by]

    def write_parquet(self, path: Path) -> None:
        """Writes one Parquet file (zstd); see `statelab.parquet`."""
        from statelab import parquet  # pyarrow takes 0.15 s to import and most commands never need it

        parquet.write(self, path)

    @staticmethod
    def read_parquet(path: Path) -> "History":
        """What `write_parquet` wrote, exactly."""
        from statelab import parquet

        return parquet.read(path)


_COLUMNS = (
    "process",
    "op",
    "key",
    "result",
    "has_result",
    "start",
    "end",
    "status",
    "served_by",
    "error",
    "op_id",
    "timed_out",
)
