"""The texts of a key-value store: one key's operations, and states by what the gets showed of them."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from statelab.check.kernels.order import begins
from statelab.check.kernels.packing import arranged
from statelab.record.columns import FAIL, OK, History, Integers

PUT, APPEND, GET = range(3)
_NAMES = ("put", "append", "get")

_ROWS = 2**14
"""How many rows become Python's numbers and texts at once."""

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

    def part(self, low: int, high: int) -> "Calls":
        """Those from `low` up to `high`, excluded."""
        some = slice(low, high)
        return Calls(self.row[some], self.kind[some], self.text[some], self.start[some], self.end[some])


def by_key(history: History, initial: str) -> Iterator[tuple[int, Calls]]:
    """Each key with its calls; without failed ones, gets without an answer, and appends of nothing. O(n log n).

    Some keys at a time become Python's numbers and texts, which take ten times the memory of columns.
    """
    kind = np.array([_NAMES.index(name) for name in history.ops] or [0], np.int8)[history.op]
    text = np.where(history.has_result, history.result, -1)  # numbers of texts; -1 stands for the initial one
    if history.value is not None and history.has_value is not None:
        text = np.where(history.has_value, history.value, text)
    told = (history.status == OK) | ((history.status != FAIL) & (kind != GET))
    empty = history.number("")
    nothing = (kind == APPEND) & (text == (-2 if empty is None else empty))
    rows = np.flatnonzero(told & ~nothing)
    rows = rows[arranged(history.key[rows].astype(np.int64), history.start[rows])]
    key = history.key[rows].astype(np.int64)
    for first in _portions(np.append(np.flatnonzero(begins(key)), len(rows))):
        some = rows[first[0] : first[-1]]
        known, words = text[some] >= 0, np.full(len(some), initial, np.object_)
        words[known] = history.all_shown(text[some[known]])
        whole = Calls(
            row=some.tolist(),
            kind=kind[some].tolist(),
            text=words.tolist(),
            start=history.start[some].tolist(),
            end=history.end[some].tolist(),
        )
        for low, high in pairwise((first - first[0]).tolist()):
            yield int(history.key[whole.row[low]]), whole.part(low, high)


def _portions(first: Integers) -> Iterator[Integers]:
    """Where keys begin and the last one ends, parted into runs of whole keys with about `_ROWS` rows or one key each;
    the end of a run is the beginning of the next."""
    cuts = np.unique(np.searchsorted(first, np.arange(0, first[-1], _ROWS)))
    for low, high in pairwise([*cuts.tolist(), len(first) - 1]):
        if low < high:
            yield first[low : high + 1]


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
