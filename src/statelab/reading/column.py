"""One field of many operations, before it is coded: numbers and texts side by side, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import overload

import numpy as np
import pyarrow
import pyarrow.compute
from numpy.typing import NDArray

from statelab.columns import Codes
from statelab.columns import Integers
from statelab.columns import Mask

pa: Any = pyarrow  # it has no annotations
pc: Any = pyarrow.compute

_FEW = 2**16


@dataclass(frozen=True, slots=True)
class Column:
    """What a field holds in each of n operations: a number, a text, or neither.

    `number` has shape `(n,)` and means something where `is_number`; `text` is an Arrow array of n texts, plain or
    dictionary-coded, null where there is none. What no operation has is None.
    """

    number: Integers | None = None
    is_number: Mask | None = None
    text: Any = None

    @property
    def is_text(self) -> Mask:
        return np.asarray(self.text.is_valid(), np.bool_)

    def only(self, rows: Mask) -> "Column":
        """The same with nothing outside `rows`."""
        text = None if self.text is None else pc.if_else(pa.array(rows), self.text, None)
        if self.number is None or self.is_number is None:
            return Column(text=text)
        kept = self.is_number & rows
        return Column(np.where(kept, self.number, 0), kept, text)


class Texts(Sequence[str | None]):
    """Many texts that stay as Arrow has them, and become Python's one by one; `first` come before them."""

    def __init__(self, texts: Any, first: tuple[None, ...] = ()) -> None:
        self._texts, self._first = texts, first

    def __len__(self) -> int:
        return len(self._first) + len(self._texts)

    @overload
    def __getitem__(self, place: int) -> str | None: ...
    @overload
    def __getitem__(self, place: slice) -> list[str | None]: ...
    def __getitem__(self, place: int | slice) -> str | list[str | None] | None:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        place = range(len(self))[place]
        if place < len(self._first):
            return None
        text: str = self._texts[place - len(self._first)].as_py()
        return text

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Where a text stands; raises ValueError if it does not."""
        found = pc.index(self._texts, value).as_py() if isinstance(value, str) else -1
        if found < 0:
            raise ValueError(f"{value!r} is not among the texts")
        return int(found) + len(self._first)


def table(texts: Any, first: tuple[None, ...] = ()) -> Sequence[str | None]:
    """The texts of an Arrow array as a table of a history."""
    return (*first, *texts.to_pylist()) if len(texts) <= _FEW else Texts(texts, first)


def by_appearance(ids: NDArray[Any]) -> tuple[Codes, NDArray[Any]]:
    """Codes of numbers, and the number that each stands for, in the order in which they appear. O(n)."""
    coded = pa.array(ids).dictionary_encode()
    return np.asarray(coded.indices, np.int32), np.asarray(coded.dictionary)


def coded_texts(text: Any) -> tuple[Integers, Any]:
    """Codes of texts (-1 where there is none) and their Arrow table."""
    coded = text if pa.types.is_dictionary(text.type) else text.dictionary_encode()
    return np.asarray(coded.indices.fill_null(-1), np.int64), coded.dictionary
