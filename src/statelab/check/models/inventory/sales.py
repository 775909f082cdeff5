"""Who bought and who was refused, and what contradicts a stock, key by key."""

from dataclasses import dataclass

import numpy as np

from statelab.record.columns import INF
from statelab.record.columns import INFO
from statelab.record.columns import OK
from statelab.record.columns import History
from statelab.record.columns import Integers
from statelab.record.columns import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Sales:
    """Rows by role, shape `(n,)`: `bought` were told ok, `refused` sold-out, `open` got no answer.

    By code of a key, shape `(keys,)`: `gone` is when the first refused buy ended (INF: none was refused), and
    `possible` how many buys that may have got one had been asked for by then.
    """

    history: History
    stock: int
    bought: Mask
    refused: Mask
    open: Mask
    gone: Integers
    possible: Integers

    @property
    def sold(self) -> Integers:
        """How many buys were told ok, by key."""
        return self.per_key(self.bought)

    @property
    def late(self) -> Mask:
        """Which rows were told ok although they started after a refused one had ended."""
        return self.bought & (self.history.start > self.gone[self.history.key])

    @property
    def oversold(self) -> Mask:
        """By key, whether more were sold than there were."""
        return self.sold > self.stock

    @property
    def false(self) -> Mask:
        """By key, whether a buy was refused while one was still there."""
        return (self.gone < INF) & (self.possible < self.stock)

    def per_key(self, rows: Mask) -> Integers:
        return np.bincount(self.history.key[rows], minlength=len(self.gone))

    def asked_by(self, time: Integers) -> Mask:
        """Which rows started no later than the time of their key."""
        return self.history.start <= time[self.history.key]


def sales(history: History, stock: int, op: str = "buy") -> Sales:
    """Sorts rows by role and finds the first refusals; O(n). `op` is what the operation that buys is called."""
    buy = history.is_op(op)
    told = np.full(len(history), -1, np.int8) if history.answer is None else history.answer
    ok = buy & (history.status == OK)
    bought, refused, unknown = ok & (told == 1), ok & (told == 0), buy & (history.status == INFO)
    keys = max(1, len(history.keys))
    gone = np.full(keys, INF)
    np.minimum.at(gone, history.key[refused], history.end[refused])
    may = (bought | unknown) & (history.start <= gone[history.key])
    possible = np.bincount(history.key[may], minlength=keys)
    return Sales(history, stock, bought, refused, unknown, gone, possible)
