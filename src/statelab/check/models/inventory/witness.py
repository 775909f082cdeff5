"""The smallest piece of a stock's history that is itself a violation; what that means, forgetting.py says.

A refused buy whose answer is forgotten may have bought. So each piece, minimal by construction:
- false-sold-out: the refused buy that ended first and, of the others that had been asked for by then, refused ones
  until fewer than N are left that may have bought. Without any one of them N are left, for all that are refused.
- late-sale: the refused buy that ended first, and one told ok that started after it. (That N may have bought by then,
  or else the refused one alone is the witness.)
- oversold: N + 1 buys told ok. N of them are none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from statelab.check.kernels.packing import arranged
from statelab.check.models.inventory.sales import Sales
from statelab.record.columns import INF
from statelab.record.columns import Integers

Kind = Literal["false-sold-out", "late-sale", "oversold"]


@dataclass(frozen=True, slots=True)
class Witness:
    """Its rows, the refused buy first where there is one.

    `asked` is how many other buys had been asked for when that one ended. `slack_ns` of a false sold-out is how much
    later the last buy that could have emptied the stock was asked for (None: there never were so many).
    """

    kind: Kind
    rows: tuple[int, ...]
    slack_ns: int | None = None
    asked: int = 0


def smallest(found: Sales) -> Witness:
    """The witness with the fewest operations; of equal ones that with the largest slack, then the shortest span."""
    return min(_candidates(found), key=lambda witness: _size(found, witness))


def _size(found: Sales, witness: Witness) -> tuple[int, float, int]:
    rows = list(witness.rows)
    start, end = found.history.start[rows], found.history.end[rows]
    slack = float("inf") if witness.slack_ns is None else witness.slack_ns
    return len(rows), -slack, int(end.max()) - int(start.min())


def _candidates(found: Sales) -> Iterator[Witness]:
    """The best one of each kind."""
    if found.false.any():
        yield _false(found)
    if found.late.any():
        yield _late(found)
    if found.oversold.any():
        yield _oversold(found)


def emptied(found: Sales) -> Integers:
    """By key, when as many buys had been asked for, of those that may have bought, as there were in stock (INF: never).

    Means nothing for a stock of 0.
    """
    rows = np.flatnonzero(found.bought | found.open)
    rows = rows[arranged(found.history.key[rows].astype(np.int64), found.history.start[rows])]
    count = np.bincount(found.history.key[rows], minlength=len(found.gone))
    enough = np.flatnonzero(count >= found.stock)
    time = np.full(len(count), INF)
    time[enough] = found.history.start[rows[(np.cumsum(count) - count)[enough] + found.stock - 1]]
    return time


def _false(found: Sales) -> Witness:
    others = found.per_key((found.bought | found.open | found.refused) & found.asked_by(found.gone)) - 1
    size = np.maximum(others - found.stock + 1, 0)
    keys = np.flatnonzero(found.false)
    keys = keys[size[keys] == size[keys].min()]
    time = emptied(found)[keys]
    best = np.argmax(np.where(time == INF, np.inf, (time - found.gone[keys]).astype(np.float64)))
    key = int(keys[best])
    first, *refused = _refused(found, key, int(size[key]))
    slack = None if time[best] == INF else int(time[best]) - int(found.gone[key])
    return Witness("false-sold-out", (first, *refused), slack, int(others[key]))


def _refused(found: Sales, key: int, others: int) -> list[int]:
    """The refused buy of the key that ended first, and others that had started by then, the first to end."""
    history = found.history
    rows = np.flatnonzero(found.refused & (history.key == key) & (history.start <= found.gone[key]))
    first: list[int] = rows[np.argsort(history.end[rows], kind="stable")][: 1 + others].tolist()
    return first


def _late(found: Sales) -> Witness:
    history = found.history
    rows = np.flatnonzero(found.late)
    apart = history.start[rows].astype(np.uint64) - found.gone[history.key[rows]].astype(np.uint64)
    furthest = rows[apart == apart.max()]
    bought = int(furthest[np.argmin(history.end[furthest])])
    key = int(history.key[bought])
    (first,) = _refused(found, key, 0)
    return Witness("late-sale", (first, bought), int(history.start[bought]) - int(found.gone[key]))


def _oversold(found: Sales) -> Witness:
    """The first N + 1 to end, of the key where they did so in the shortest time."""
    history, keys = found.history, np.flatnonzero(found.oversold)
    rows = np.flatnonzero(found.bought)
    rows = rows[arranged(history.key[rows].astype(np.int64), history.end[rows])]
    first = (np.cumsum(found.sold) - found.sold)[keys]
    chosen = rows[first[:, None] + np.arange(found.stock + 1)]
    span = history.end[chosen[:, -1]] - history.start[chosen].min(1)
    return Witness("oversold", tuple(chosen[np.argmin(span)].tolist()))
