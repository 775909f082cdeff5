"""A minimal witness of a violated key-value history, and by how much its clocks would have to be wrong."""

from bisect import bisect_left
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import replace

import numpy as np

from statelab.check.kernels.forgetting import forget
from statelab.check.kernels.forgetting import minimal
from statelab.check.kernels.forgetting import refutes
from statelab.check.kernels.model import Deadline
from statelab.check.models.key_value.judge import Judged
from statelab.check.models.key_value.judge import judge
from statelab.record.columns import FAIL
from statelab.record.columns import INF
from statelab.record.columns import OK
from statelab.record.columns import History

CHANGES = ("put", "append")

TRIED = 8
"""Of the keys that only a search could decide, how many are looked at for the smallest witness, shortest first."""

_MOST = 20_000

Violated = Callable[[History], bool]


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows by start; by how many ns the clocks would have to be wrong for it to vanish, None: it needs no clock."""

    rows: tuple[int, ...]
    slack_ns: int | None


def witness(history: History, judged: Judged, initial: str, deadline: Deadline) -> Witness:
    """The smallest of the witnesses found; of several the one with the largest slack, then with the shortest span."""

    def size(found: Witness) -> tuple[int, float, int]:
        rows = list(found.rows)
        span = int(history.end[rows].max()) - int(history.start[rows].min())
        return len(rows), -INF if found.slack_ns is None else -found.slack_ns, span

    if judged.alone:
        return min((Witness((get,), slack) for _, get, slack in judged.alone), key=size)
    found = [Witness(pair, None) for pair in judged.forks]
    found = [min(found, key=size)] if found else []
    found += [_of(history, rows, initial, deadline) for rows in _candidates(history, judged, initial, deadline)]
    best = min(found, key=size)
    return replace(best, rows=tuple(sorted(best.rows, key=lambda row: (int(history.start[row]), row))))


def _candidates(history: History, judged: Judged, initial: str, deadline: Deadline) -> Iterable[tuple[int, ...]]:
    if not judged.forks:
        yield from (contradiction.rows for contradiction in judged.inversions + judged.overlaps)
    for key, _ in sorted(judged.searched, key=lambda found: found[1])[:TRIED]:
        rows = np.flatnonzero((history.key == key) & (history.status != FAIL))
        early = _earliest(history.take(rows), _violated(initial, deadline))
        yield tuple(rows[early].tolist())


def _earliest(history: History, violated: Violated) -> list[int]:
    """The fewest answered operations that are a violation if they are taken by start. A bisection: log n checks."""
    answered = np.flatnonzero(history.status == OK)
    rows: list[int] = answered[np.argsort(history.start[answered], kind="stable")].tolist()
    sizes = range(1, len(rows))
    return rows[: 1 + bisect_left(sizes, True, key=lambda size: refutes(history, rows[:size], CHANGES, violated))]


def _of(history: History, candidates: Sequence[int], initial: str, deadline: Deadline) -> Witness:
    """A minimal witness within the candidates, which are one, of one key."""
    rows = np.flatnonzero((history.key == history.key[candidates[0]]) & (history.status != FAIL))
    part, violated = history.take(rows), _violated(initial, deadline)
    small = minimal(part, np.searchsorted(rows, sorted(candidates)).tolist(), CHANGES, violated)
    return Witness(tuple(rows[list(small)].tolist()), _slack(part, small, violated))


def _violated(initial: str, deadline: Deadline) -> Violated:
    return lambda history: bool(judge(history, initial, deadline, _MOST).keys)


def _slack(history: History, rows: Sequence[int], violated: Violated) -> int | None:
    """The least number of ns by which all ends in the witness have to be put off to make it valid; None if none does.

    Only the distances from an end in the witness to a later start can matter: a bisection among them.
    """
    asked, kept = forget(history, rows, CHANGES)
    ends = asked.end[np.isin(kept, rows) & (asked.end != INF)]
    distance = np.unique(np.subtract.outer(asked.start, ends))
    distance = distance[distance > 0]
    low, high = 0, len(distance)
    while low < high:
        middle = (low + high) // 2
        put_off = np.where(asked.end == INF, INF, asked.end + distance[middle])
        low, high = (middle + 1, high) if violated(replace(asked, end=put_off)) else (low, middle)
    return int(distance[low]) if low < len(distance) else None
