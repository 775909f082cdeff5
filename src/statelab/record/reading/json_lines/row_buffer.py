"""Operations that were taken one by one, on their way into a batch."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from statelab.core.operation import Operation
from statelab.core.operation import Value
from statelab.record.columns import STATUSES
from statelab.record.reading.columnar.sheet import ListColumn
from statelab.record.reading.json_lines.batch import Batch
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import VALUES
from statelab.record.shapes import Shapes

PLAIN = ("process", "key", "start", "end", "op_id", "error")
"""Fields that stand in the columns as they are given."""


class _Fields:
    """Fields of single operations; their texts go to `text`, which stands `before` bytes behind the data's begin."""

    def __init__(self, before: int) -> None:
        self._before = before
        self._numbers: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._texts: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        self.text = bytearray()

    def put(self, field: str, row: int, value: Value | None) -> None:
        if isinstance(value, str):
            encoded = value.encode()
            self._texts[field].append((row, self._before + len(self.text), len(encoded)))
            self.text += encoded
        elif value is not None:
            self._numbers[field].append((row, value))

    def fill(self, batch: Batch) -> None:
        for field, numbers in self._numbers.items():
            batch.put_numbers(field, *np.array(numbers, np.int64).T)
        for field, places in self._texts.items():
            batch.put_texts(field, *np.array(places, np.int64).T)


def answer_of(operation: Operation, shapes: Shapes) -> int | None:
    """The code of a yes-or-no operation's answer."""
    if operation.result is None or shapes.operations[operation.op].result != "answer":
        return None
    return int(operation.result == shapes.answers[1])


def fixed_numbers(operation: Operation, shapes: Shapes) -> dict[str, int]:
    """What of an operation is a code: its name, its status, its answer, and whether it timed out."""
    answer = answer_of(operation, shapes)
    return {
        "op": list(shapes.operations).index(operation.op),
        "status": STATUSES.index(operation.status),
        **({} if answer is None else {"answer": answer}),
        **({"timed_out": 1} if operation.timed_out else {}),
    }


class Taken:
    """Takes single operations of n, and puts all of them into a batch at last.

    `before` is where the texts of these operations will stand: behind so many bytes.
    """

    def __init__(self, shapes: Shapes, n: int, before: int) -> None:
        self._shapes = shapes
        self._fields = _Fields(before)
        self._items = _Fields(0)
        self._length = np.zeros(n, np.int64)
        self._known = np.zeros(n, np.bool_)
        self._count = 0

    def put(self, row: int, operation: Operation) -> None:
        for field, number in fixed_numbers(operation, self._shapes).items():
            self._fields.put(field, row, number)
        for field in PLAIN:
            self._fields.put(field, row, getattr(operation, field))
        if operation.served_by is not None:
            for name in SERVER_FIELDS:
                self._fields.put(f"served_by.{name}", row, getattr(operation.served_by, name))
        self._put_values(row, operation)

    def _put_values(self, row: int, operation: Operation) -> None:
        if isinstance(operation.result, list):
            self._known[row], self._length[row] = True, len(operation.result)
            for item in operation.result:
                self._items.put("item", self._count, item)
                self._count += 1
        elif answer_of(operation, self._shapes) is None:
            self._fields.put("result", row, operation.result)
        for field in VALUES[1:]:
            self._fields.put(field, row, getattr(operation, field))

    def fill(self, batch: Batch) -> NDArray[np.uint8]:
        """Puts all operations into the batch; returns the bytes of their texts."""
        self._fields.fill(batch)
        return np.frombuffer(self._fields.text, np.uint8)

    def lists(self) -> ListColumn | None:
        """The results that are lists."""
        if not self._known.any():
            return None
        items = Batch(self._count)
        self._items.fill(items)
        data = np.frombuffer(self._items.text, np.uint8)
        return ListColumn(self._known, self._length, items.column("item", data))
