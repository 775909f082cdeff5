"""A history as columns: what the checkers read, and what a run folder keeps as one Parquet file per cell."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statelab.core.operation import Operation, Result, ServedBy, Status, Unit, Value
from statelab.record import coding
from statelab.record.coding import VALUES, Lists, Texts, encode

Integers = coding.Integers
Codes = coding.Codes
Mask = coding.Mask
Rows = Integers | Mask | slice

INF = int(np.iinfo(np.int64).max)
"""The end of an operation whose outcome is unknown."""

STATUSES: tuple[Status, ...] = ("ok", "fail", "info")
OK, FAIL, INFO = range(len(STATUSES))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class History:
    """Operations side by side: one array per field and one row per operation (shape `(n,)`, times in `unit`, None where
    it is not known).

    A name is a code into its table: `history.ops[history.op[i]]`. Code 0 of `servers`, `errors` and `op_ids` is None.
    `end` is INF where it is unknown. `result`, `value`, `expected` and `seen` mean something only where `has_...` says
    so; a mask of None stands for a field that no operation has. Their numbers are the values themselves or, where
    `values` is a table, codes into it (as soon as one of the values is a text). What a yes-or-no operation answered is
    not a result: `answer` is 0 or 1, a code into `answers`, and -1 where there is none. `elements` holds the results
    that are lists, coded like values.
    """

    process: Codes
    op: Codes | NDArray[np.int8]
    key: Codes
    result: Integers
    has_result: Mask
    start: Integers
    end: Integers
    status: NDArray[np.int8]
    served_by: Codes
    error: Codes
    op_id: Codes
    timed_out: Mask
    processes: Sequence[int | str]
    ops: tuple[str, ...]
    keys: Sequence[str]
    servers: tuple[ServedBy | None, ...]
    errors: tuple[str | None, ...]
    op_ids: Sequence[str | None]
    value: Integers | None = None
    has_value: Mask | None = None
    expected: Integers | None = None
    has_expected: Mask | None = None
    seen: Integers | None = None
    has_seen: Mask | None = None
    answer: NDArray[np.int8] | None = None
    answers: tuple[bool | str, bool | str] = (False, True)
    elements: Lists | None = None
    values: Sequence[Value] | None = None
    unit: Unit | None = "ns"
    widened: bool = False
    """Intervals are as wide as clocks were uncertain, so that those of one client may overlap."""

    @classmethod
    def from_operations(
        cls, operations: Sequence[Operation], *, answers: tuple[bool | str, bool | str] = (False, True)
    ) -> "History":
        """The same operations in the same order, as columns; `answers` are no and yes of yes-or-no operations."""
        n = len(operations)
        process, processes = encode(o.process for o in operations)
        op, ops = encode(o.op for o in operations)
        key, keys = encode(o.key for o in operations)
        op_id, op_ids = encode((o.op_id for o in operations), first=[None])
        served_by, servers = encode((o.served_by for o in operations), first=[None])
        error, errors = encode((o.error for o in operations), first=[None])
        status, _ = encode((o.status for o in operations), first=STATUSES)
        return cls(
            process=process,
            op=op,
            key=key,
            start=np.fromiter((o.start for o in operations), np.int64, n),
            end=np.fromiter((INF if o.end is None else o.end for o in operations), np.int64, n),
            status=status.astype(np.int8),
            served_by=served_by,
            error=error,
            op_id=op_id,
            timed_out=np.fromiter((o.timed_out for o in operations), np.bool_, n),
            processes=processes,
            ops=ops,
            keys=keys,
            servers=servers,
            errors=errors,
            op_ids=op_ids,
            answers=answers,
            **_values(operations, answers),
        )

    def __len__(self) -> int:
        return len(self.start)

    def operation(self, row: int) -> Operation:
        """Row `row` as the operation it was made from."""
        end = int(self.end[row])
        result: Result = self._shown(self.result, self.has_result, row)
        if self.answer is not None and self.answer[row] >= 0:
            result = self.answers[self.answer[row]]
        elif self.elements is not None and self.elements.known[row]:
            result = self.all_shown(self.elements[row])
        return Operation(
            process=self.processes[self.process[row]],
            op=self.ops[self.op[row]],
            key=self.keys[self.key[row]],
            result=result,
            value=self._shown(self.value, self.has_value, row),
            expected=self._shown(self.expected, self.has_expected, row),
            seen=self._shown(self.seen, self.has_seen, row),
            start=int(self.start[row]),
            end=None if end == INF else end,
            status=STATUSES[self.status[row]],
            op_id=self.op_ids[self.op_id[row]],
            served_by=self.servers[self.served_by[row]],
            error=self.errors[self.error[row]],
            timed_out=bool(self.timed_out[row]),
        )

    def _shown(self, numbers: Integers | None, known: Mask | None, row: int) -> Value | None:
        if numbers is None or known is None or not known[row]:
            return None
        return self.shown(int(numbers[row]))

    def shown(self, number: int) -> Value:
        """The value that a number of the columns stands for."""
        return number if self.values is None else self.values[number]

    def all_shown(self, numbers: Integers) -> list[Value]:
        """The values that many numbers of the columns stand for."""
        if isinstance(self.values, Texts):
            return self.values.at(numbers)
        return [self.shown(number) for number in numbers.tolist()]

    def number(self, value: Value) -> int | None:
        """The number that stands for a value in the columns; None where none can. O(values) with a table."""
        if self.values is None:
            return value if isinstance(value, int) else None
        try:
            return self.values.index(value)
        except ValueError:
            return None

    def operations(self, rows: Iterable[int] | None = None) -> list[Operation]:
        """The operations of some rows, or of all."""
        return [self.operation(row) for row in (range(len(self)) if rows is None else rows)]

    def take(self, rows: Rows) -> "History":
        """The history of some rows (indices, a mask or a slice); the tables stay as they are."""
        taken: dict[str, Any] = {
            name: column[rows] for name in self.__slots__ if isinstance(column := getattr(self, name), np.ndarray)
        }
        return replace(self, **taken, elements=self.elements and self.elements.take(rows))

    def is_op(self, name: str) -> Mask:
        """Which rows are operations of that name."""
        code = self.ops.index(name) if name in self.ops else -1
        return np.equal(self.op, code)


def _values(operations: Sequence[Operation], answers: tuple[bool | str, bool | str]) -> dict[str, Any]:
    """The columns that hold values, answers and lists. (For few operations Arrow takes ten times as long.)"""
    code: dict[Any, int] = {(type(each), each): place for place, each in enumerate(answers)}  # 0 and 1 are no answers
    is_list = [isinstance(o.result, list) for o in operations]
    answer = [-1 if no else code.get((type(o.result), o.result), -1) for o, no in zip(operations, is_list, strict=True)]
    lists: list[Sequence[Any]] = [o.result if isinstance(o.result, list) else () for o in operations]
    fields: dict[str, list[Any]] = {name: [getattr(o, name) for o in operations] for name in VALUES}
    fields["result"] = [
        None if yes or known >= 0 else o.result for o, yes, known in zip(operations, is_list, answer, strict=True)
    ]
    everything = dict.fromkeys(v for values in (*fields.values(), *lists) for v in values if v is not None)
    table = tuple(everything) if any(isinstance(value, str) for value in everything) else None
    number: dict[Any, Any] = {value: place if table else value for place, value in enumerate(everything)}
    columns: dict[str, Any] = {"values": table}
    for name, values in fields.items():
        known = np.array([value is not None for value in values], np.bool_)
        if name == "result" or known.any():
            numbers = [0 if value is None else number[value] for value in values]
            columns |= {name: np.array(numbers, np.int64), f"has_{name}": known}
    if max(answer, default=-1) >= 0:
        columns["answer"] = np.array(answer, np.int8)
    if any(is_list):
        first = np.cumsum([0, *map(len, lists)])
        flat = np.array([number[value] for each in lists for value in each], np.int64)
        columns["elements"] = Lists(first, flat, np.array(is_list, np.bool_))
    return columns
