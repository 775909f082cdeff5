"""Values, names and lists as numbers: how operations become columns."""

from abc import abstractmethod
from collections.abc import Hashable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from statelab.core.operation import Operation
from statelab.core.operation import Value

T = TypeVar("T", bound=Hashable)

FIELDS = ("result", "value", "expected", "seen")
"""The fields of an operation that hold a value."""


class Table(Sequence[T]):
    """A table that makes its values on request; many at once are much faster than one by one."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes that it takes."""

    @abstractmethod
    def at(self, places: NDArray[np.int64]) -> list[T]:
        """The values at these places."""


def encode(values: Iterable[T], first: Sequence[T] = ()) -> tuple[NDArray[np.int32], tuple[T, ...]]:
    """Dictionary-codes values: value i is `table[codes[i]]`; the table begins with `first`."""
    listed = list(values)
    position = {value: code for code, value in enumerate(dict.fromkeys([*first, *listed]))}
    return np.fromiter(map(position.__getitem__, listed), np.int32, len(listed)), tuple(position)


@dataclass(frozen=True, slots=True, eq=False)
class Lists:
    """A column of lists: row i holds `number[first[i]:first[i + 1]]` if `known[i]`; `first` has shape `(n + 1,)`."""

    first: NDArray[np.int64]
    number: NDArray[np.int64]
    known: NDArray[np.bool_]

    @classmethod
    def of(cls, lists: Sequence[Sequence[int] | None]) -> "Lists":
        length = [len(numbers or ()) for numbers in lists]
        flat = [number for numbers in lists for number in numbers or ()]
        return cls(
            np.concatenate(([0], np.cumsum(length, dtype=np.int64))),
            np.array(flat, np.int64),
            np.array([numbers is not None for numbers in lists], np.bool_),
        )

    def __getitem__(self, row: int) -> NDArray[np.int64]:
        return self.number[self.first[row] : self.first[row + 1]]

    @property
    def length(self) -> NDArray[np.int64]:
        return np.diff(self.first)

    @property
    def row(self) -> NDArray[np.int64]:
        """For each number, the row whose list holds it."""
        return np.repeat(np.arange(len(self.known)), self.length)

    def take(self, rows: Any) -> "Lists":
        """The lists of some rows (indices, a mask or a slice)."""
        chosen = np.arange(len(self.known))[rows]
        length = self.length[chosen]
        first = np.concatenate(([0], np.cumsum(length)))
        inside = np.arange(first[-1]) - np.repeat(first[:-1], length)
        return Lists(first, self.number[np.repeat(self.first[chosen], length) + inside], self.known[chosen])


def value_columns(operations: Sequence[Operation], answers: tuple[bool | str, bool | str]) -> dict[str, Any]:
    """The columns of `History` that hold values, answers and lists; those that no operation has are left out.

    A result is an answer if it is one of `answers`. Numbers stand for themselves unless a value is a text: then all
    are codes into the table `values`.
    """
    results = [o.result for o in operations]
    coded: dict[Any, int] = {(type(each), each): code for code, each in enumerate(answers)}
    answer = [-1 if isinstance(each, list) else coded.get((type(each), each), -1) for each in results]
    lists = [result if isinstance(result, list) else None for result in results]
    plain: dict[str, list[Any]] = {name: [getattr(o, name) for o in operations] for name in FIELDS}
    plain["result"] = [
        None if code >= 0 or isinstance(result, list) else result for result, code in zip(results, answer, strict=True)
    ]
    everything: list[Value] = [
        value for values in (*plain.values(), *lists) for value in values or () if value is not None
    ]
    table = tuple(dict.fromkeys(everything)) if any(isinstance(value, str) for value in everything) else None
    number: dict[Any, Any] = {value: place if table else value for place, value in enumerate(dict.fromkeys(everything))}
    columns: dict[str, Any] = {"values": table, "answers": answers}
    for name, values in plain.items():
        known = [value is not None for value in values]
        if name == "result" or any(known):
            columns[name] = np.array([0 if value is None else number[value] for value in values], np.int64)
            columns[f"has_{name}"] = np.array(known, np.bool_)
    if any(code >= 0 for code in answer):
        columns["answer"] = np.array(answer, np.int8)
    if any(values is not None for values in lists):
        columns["elements"] = Lists.of([None if each is None else [number[value] for value in each] for each in lists])
    return columns
