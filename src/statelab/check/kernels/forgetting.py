"""What a witness is: a few operations that are a violation by themselves, whatever all the others were answered.

Dropping operations from a valid history can make it invalid (who wrote the value that was read?), so a part of a
history needs its context. The rule, for every model: the answers of operations outside the witness are forgotten. An
operation that changes state keeps its request and may take effect at any time after its own start, or never (status
`info`); one that changes nothing is dropped. A set of operations is a witness if the history is violated even then, and
it is minimal if none of its operations can be forgotten as well.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from statelab.check.kernels.model import Deadline, Proof
from statelab.record.columns import FAIL, INF, INFO, History, Integers

Violated = Callable[[History], bool]

Refuted = Callable[[Sequence[int]], bool]
"""Whether the rows alone are a violation, all others forgotten."""

NO_DEADLINE = Deadline()


@dataclass(frozen=True, slots=True)
class Witness:
    """The fields of a `Proof` before it is put into words; `by_start` gives the order of the rows."""

    kind: str
    rows: tuple[int, ...]
    slack_ns: int | None = None
    cut_short: bool = False

    def proof(self, text: str) -> Proof:
        return Proof(self.kind, self.rows, text, self.slack_ns, self.cut_short)


def by_start(history: History, rows: Iterable[int]) -> tuple[int, ...]:
    """The rows in the order in which a proof names them."""
    return tuple(sorted(rows, key=lambda row: (int(history.start[row]), int(history.end[row]), row)))


def forget(history: History, rows: Iterable[int], changes: Iterable[str]) -> tuple[History, Integers]:
    """The history in which only `rows` were answered, and for each of its rows the row it was.

    `changes` names the operations that change state.
    """
    inside = np.zeros(len(history), np.bool_)
    inside[list(rows)] = True
    changing = np.isin(history.op, [code for code, name in enumerate(history.ops) if name in set(changes)])
    forgotten = ~inside & changing & (history.status != FAIL)
    kept = np.flatnonzero(inside | forgotten)
    asked = replace(
        history,
        status=np.where(forgotten, INFO, history.status).astype(np.int8),
        end=np.where(forgotten, INF, history.end),
        has_result=history.has_result & ~forgotten,
        has_seen=None if history.has_seen is None else history.has_seen & ~forgotten,
        answer=None if history.answer is None else np.where(forgotten, -1, history.answer).astype(np.int8),
    )
    return asked.take(kept), kept


def refutes(history: History, rows: Iterable[int], changes: Iterable[str], violated: Violated) -> bool:
    """Whether these rows alone are a violation."""
    return violated(forget(history, rows, changes)[0])


def minimal(
    history: History,
    rows: Iterable[int],
    changes: Iterable[str],
    violated: Violated,
    deadline: Deadline = NO_DEADLINE,
) -> tuple[int, ...]:
    """A minimal witness within `rows`, which must be one."""
    return shrunk(rows, lambda some: refutes(history, some, changes, violated), deadline)


def shrunk(rows: Iterable[int], refuted: Refuted, deadline: Deadline = NO_DEADLINE) -> tuple[int, ...]:
    """A minimal witness within `rows`, which must be one: whole blocks are forgotten first, then single operations.

    The order is that of delta debugging (Zeller and Hildebrandt 2002, "Simplifying and Isolating Failure-Inducing
    Input", section 3): O(w^2) calls of `refuted` at worst for a witness of w rows. An operation that has to stay once
    has to stay for good: forgetting more never makes a violation. When the deadline passes, what is left is returned: a
    witness still, the smallest found.
    """
    left = list(rows)
    size = max(1, len(left) // 2)
    while True:
        place = 0
        while place < len(left) and not deadline.passed:
            without = left[:place] + left[place + size :]
            if refuted(without):
                left = without
            else:
                place += size
        if size == 1 or deadline.passed:
            return tuple(left)
        size //= 2
