"""The texts of a key-value store: one key's operations, and states by what the gets showed of them."""

from bisect import bisect_left
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from statelab.checkers.packing import arranged
from statelab.columns import FAIL
from statelab.columns import OK
from statelab.columns import History

PUT, APPEND, GET = range(3)
_NAMES = ("put", "append", "get")

Node = tuple[int, int, int]
"""A text that begins some of the texts shown: those from the first number up to the second, excluded, begin with it;
the third is its length."""


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """What may have happened to one key, by start: lists side by side. `end` is INF where the outcome is unknown."""

    row: list[int]
    kind: list[int]
    text: list[str]
    start: list[int]
    end: list[int]

    def __len__(self) -> int:
        return len(self.row)


def by_key(history: History, initial: str) -> Iterator[tuple[int, Calls]]:
    """Each key with its calls; without failed ones, gets without an answer, and appends of nothing. O(n log n)."""
    kind, text = _kinds(history), _texts(history, initial)
    told = (history.status == OK) | ((history.status != FAIL) & (kind != GET))
    rows = np.flatnonzero(told & ~((kind == APPEND) & (text == _code(history, ""))))
    rows = rows[arranged(history.key[rows].astype(np.int64), history.start[rows])]
    shown = _shown(history, initial)
    cuts = np.flatnonzero(np.diff(history.key[rows])) + 1
    first = [0, *cuts.tolist(), len(rows)]
    columns = (rows, kind[rows], text[rows], history.start[rows], history.end[rows])
    lists = [column.tolist() for column in columns]
    lists[2] = [shown[code] for code in lists[2]]
    for low, high in pairwise(first):
        if low < high:
            yield int(history.key[lists[0][low]]), Calls(*(column[low:high] for column in lists))


def _kinds(history: History) -> NDArray[np.int64]:
    return np.array([_NAMES.index(name) for name in history.ops] or [0])[history.op]


def _texts(history: History, initial: str) -> NDArray[np.int64]:
    """By row, the number of what it wrote or was shown; -1 stands for the initial text."""
    shown = np.where(history.has_result, history.result, -1)
    if history.value is None or history.has_value is None:
        return shown
    return np.where(history.has_value, history.value, shown)


def _code(history: History, text: str) -> int:
    number = history.number(text)
    return -2 if number is None else number


def _shown(history: History, initial: str) -> list[str]:
    """The text of every number; the initial one stands last, where -1 finds it."""
    return [*(str(value) for value in history.values or ()), initial]


class Shown:
    """The different texts that gets of a key showed, in order; a state of the key is a `Node` of them, or none."""

    def __init__(self, texts: Iterable[str], tokens: Iterable[str]) -> None:
        self.texts = sorted(set(texts))
        self.root: Node = (0, len(self.texts), 0)
        self._tokens = set(tokens)
        self._lengths = sorted({len(token) for token in self._tokens})
        self._next: dict[Node, list[tuple[str, Node]]] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def place(self, text: str) -> int:
        """The number of a text that was shown."""
        return bisect_left(self.texts, text)

    def shows(self, node: Node) -> int:
        """The number of the text that is the node's own; -1 where no get showed it."""
        low, _, length = node
        return low if len(self.texts[low]) == length else -1

    def extended(self, node: Node, text: str) -> Node | None:
        """The node of the text with something after it; None if no text shown begins like that."""
        low, high, length = node
        upto = length + len(text)
        low = bisect_left(self.texts, text, low, high, key=lambda shown: shown[length:upto])
        high = bisect_right(self.texts, text, low, high, key=lambda shown: shown[length:upto])
        return (low, high, upto) if low < high else None

    def next(self, node: Node) -> list[tuple[str, Node]]:
        """What can be appended to the node so that it is a node still, and the nodes that this makes."""
        if node not in self._next:
            self._next[node] = [step for size in self._lengths for step in self._steps(node, size)]
        return self._next[node]

    def _steps(self, node: Node, size: int) -> Iterator[tuple[str, Node]]:
        low, high, length = node
        upto = length + size
        while low < high:
            token = self.texts[low][length:upto]
            end = bisect_right(self.texts, token, low, high, key=lambda shown: shown[length:upto])
            if token in self._tokens:
                yield token, (low, end, upto)
            low = end
