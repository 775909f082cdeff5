"""Linearizability of a stock that is sold one by one (`inventory`), decided exactly.

Promise: of N in stock each buy takes one and says "ok" while there are any, and "sold-out" when all N are gone. Nothing
comes back. N must be given (`--initial N`).

A history is linearizable iff on each key
1. at most N buys were told ok (else it is oversold);
2. no buy that was told ok started after one had ended that was told sold-out;
3. if any buy was told sold-out: when the first of these ended, N buys had been asked for that were told ok or got no
   answer (else sold-out was false: one was still there).

Why this is exact. It is the blind counter (blind_counter/model.py, of which this uses the proof and no code) with
"sold-out" as a read of N and no place beyond the N-th. All places 1..N then have one window: it ends when the first
sold-out ends, and it has no beginning, as no read shows less than N. So the matching needs no search: the buys that
were told ok find places iff they are at most N (1) and each starts before that end (2), and all N places can be filled
iff N buys do (3). A buy of unknown outcome may have bought, been told sold-out or not have happened; it is taken where
3 needs it, and else left out.

Cost: O(n), no sort, unless it is violated. Assumes one clock for 2 and 3; 1 needs none.

The WITNESS is the smallest piece of the history that is itself a violation (kernels/forgetting.py says what that is).
A refused buy whose answer is forgotten may have bought. So each piece, minimal by construction:
- false-sold-out: the refused buy that ended first and, of the others that had been asked for by then, refused ones
  until fewer than N are left that may have bought. Without any one of them N are left, for all that are refused.
- late-sale: the refused buy that ended first, and one told ok that started after it. (That N may have bought by then,
  or else the refused one alone is the witness.)
- oversold: N + 1 buys told ok. N of them are none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from statelab.check.kernels.model import Deadline, Finding, Model, Proof
from statelab.check.kernels.packing import arranged
from statelab.check.kernels.words import Cast, named
from statelab.core.errors import BadInput, counted
from statelab.core.operation import Value
from statelab.record.columns import INF, INFO, OK, History, Integers, Mask
from statelab.record.shapes import Shape


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

    @property
    def asked(self) -> Mask:
        """Which rows had started when the first refused buy of their key ended."""
        return self.history.start <= self.gone[self.history.key]


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
    kinds = ((found.false, _false), (found.late, _late), (found.oversold, _oversold))

    def size(witness: Witness) -> tuple[int, float, int]:
        rows = list(witness.rows)
        start, end = found.history.start[rows], found.history.end[rows]
        slack = float("inf") if witness.slack_ns is None else witness.slack_ns
        return len(rows), -slack, int(end.max()) - int(start.min())

    return min((best(found) for wrong, best in kinds if wrong.any()), key=size)


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
    """Of the keys where it takes the fewest, the one where the stock was emptied latest after the refusal, if ever."""
    others = found.per_key((found.bought | found.open | found.refused) & found.asked) - 1
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
    rows = np.flatnonzero(found.refused & (history.key == key) & found.asked)
    first: list[int] = rows[np.argsort(history.end[rows], kind="stable")][: 1 + others].tolist()
    return first


def _late(found: Sales) -> Witness:
    """The sale that started longest after the refusal; of equals the one that ended first."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The words for what is sold; a limit of requests, for instance, is a stock of places.

    `op` is what an operation is called and `no` the answer of one that got nothing; `amount` says how many there were,
    `gone` that they do not come back, `left` what remained. `fits` and `contradicts` are the reasons of a verdict.
    """

    op: str
    no: str
    amount: Callable[[int], str]
    gone: str
    left: str
    fits: str
    contradicts: str


def _in_stock(stock: int) -> str:
    return f"{stock:,} was in stock" if stock == 1 else f"{stock:,} were in stock" if stock else "nothing was in stock"


SHOP = Terms(
    op="buy",
    no="sold-out",
    amount=_in_stock,
    gone="what is sold out does not come back",
    left="still there",
    fits="one stock of {:,} explains all answers",
    contradicts="no stock of {:,} that is sold one by one can have given these answers",
)
LIMIT = Terms(
    op="hit",
    no="refused",
    amount="the limit is {:,}".format,
    gone="a limit that is reached stays so until its time is over",
    left="still free",
    fits="one limit of {:,} explains all answers",
    contradicts="no limit of {:,} can have given these answers",
)


def words(history: History, witness: Witness, stock: int, terms: Terms = SHOP) -> str:
    """The proof of a witness; of more than six operations the first three and the last are named."""
    cast = Cast(history, witness.rows)
    if witness.kind == "oversold":
        count = "Nobody" if stock == 0 else f"Only {stock:,}"
        verb = "was" if len(witness.rows) == 1 else "were all" if len(witness.rows) > 2 else "were both"
        text = f"{cast.together(cast.rows, 'buy')} {verb} told ok. {count} can be: {terms.amount(stock)}."
    elif witness.kind == "late-sale":
        refused, bought = (cast.name(row) for row in witness.rows)
        text = (
            f"{refused} was told {terms.no}. {refused} had ended {cast.span(witness.slack_ns or 0)} before {bought} "
            f"started, yet {bought} was told ok: {terms.gone}."
        )
    else:
        text = _why_false(cast, witness, stock, terms)
    return f"{text} {cast.introductions(named(cast.rows))}"


def _why_false(cast: Cast, witness: Witness, stock: int, terms: Terms) -> str:
    first, *others = witness.rows
    name, left = cast.name(first), witness.asked - len(others)
    amount = terms.amount(stock)
    text = (
        f"{name} was told {terms.no}. {amount[0].upper()}{amount[1:]}, and when {name} ended "
        f"{counted(witness.asked, f'other {terms.op}')} had been asked for"
    )
    if others:
        refused = cast.together(sorted(others, key=cast.rows.index), "buy")
        text += (
            f". But of these {refused} {'was' if len(others) == 1 else 'were'} told {terms.no}, too. "
            f"That leaves {left:,}"
        )
    return f"{text}. At least {stock - left:,} {'was' if stock - left == 1 else 'were'} {terms.left}."


def check(history: History, *, initial: Value | None, deadline: Deadline) -> Finding:
    """Whether one stock of `initial` per key explains all answers; raises BadInput where that is no amount."""
    if not isinstance(initial, int) or initial < 0:
        raise BadInput(f"inventory: --initial says how many there are to sell, 0 or more; it was {initial!r}")
    return decide(history, initial, SHOP)


def decide(history: History, initial: int, terms: Terms) -> Finding:
    """Whether one stock per key explains all answers, whatever is sold: `terms` are the words for it."""
    found = sales(history, initial, terms.op)
    late = found.per_key(found.late) > 0
    violated = np.flatnonzero(found.oversold | found.false | late)
    if not len(violated):
        return Finding(verdict="held", reason=terms.fits.format(initial))
    witness = smallest(found)
    too_early = found.refused & (found.history.end < emptied(found)[found.history.key])
    counts = {
        "oversold": int(np.maximum(found.sold - found.stock, 0).sum()),
        "false-sold-out": int(np.count_nonzero(too_early)) if found.stock else 0,
        "late-sales": int(np.count_nonzero(found.late)),
    }
    return Finding(
        verdict="violated",
        reason=terms.contradicts.format(initial),
        proof=Proof(witness.kind, witness.rows, words(history, witness, initial, terms), witness.slack_ns),
        counts={word: count for word, count in counts.items() if count},
        violated_keys=tuple(violated.tolist()),
    )


MODEL = Model(
    name="inventory",
    promise='of N in stock each buy takes one and says "ok" while there are any, and "sold-out" when all are gone',
    operations={"buy": Shape(result="answer")},
    check=check,
    initial_kind="integer",
    needs_initial=True,
    answers=("sold-out", "ok"),
)
