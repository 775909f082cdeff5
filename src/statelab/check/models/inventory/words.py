"""Why what buyers were told contradicts a stock of N, for a reader who does not know the algorithm."""

from collections.abc import Callable
from dataclasses import dataclass

from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import milliseconds
from statelab.check.kernels.words import plural
from statelab.check.models.inventory.witness import Witness
from statelab.record.columns import History

_ALL_NAMED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is sold, in the words of who sells it: a limit of requests is a stock of places.

    `op` is the operation and `no` the answer of one that got nothing; `amount` says how many there were, `gone` that
    they do not come back, `left` what remained. `fits` and `contradicts` are the reasons of a verdict.
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
        text = f"{_together(cast, cast.rows)} {verb} told ok. {count} can be: {terms.amount(stock)}."
    elif witness.kind == "late-sale":
        text = _late(cast, witness, terms)
    else:
        text = _false(cast, witness, stock, terms)
    return f"{text} " + " ".join(f"{cast.name(row)}: {cast.facts(row)}." for row in _named(cast.rows))


def _late(cast: Cast, witness: Witness, terms: Terms) -> str:
    refused, bought = (cast.name(row) for row in witness.rows)
    return (
        f"{refused} was told {terms.no}. {refused} had ended {milliseconds(witness.slack_ns or 0)} before {bought} "
        f"started, yet {bought} was told ok: {terms.gone}."
    )


def _false(cast: Cast, witness: Witness, stock: int, terms: Terms) -> str:
    first, *others = witness.rows
    name, left = cast.name(first), witness.asked - len(others)
    amount = terms.amount(stock)
    text = (
        f"{name} was told {terms.no}. {amount[0].upper()}{amount[1:]}, and when {name} ended "
        f"{plural(witness.asked, f'other {terms.op}')} had been asked for"
    )
    if others:
        refused = _together(cast, sorted(others, key=cast.rows.index))
        text += (
            f". But of these {refused} {'was' if len(others) == 1 else 'were'} told {terms.no}, too. "
            f"That leaves {left:,}"
        )
    return f"{text}. At least {stock - left:,} {'was' if stock - left == 1 else 'were'} {terms.left}."


def _together(cast: Cast, rows: list[int]) -> str:
    """`A`, `A and B`, `A, B and C`, or `101 buys (A, B, C, ... and operation 101)`."""
    *others, last = (cast.name(row) for row in _named(rows))
    if len(rows) > _ALL_NAMED:
        return f"{len(rows):,} buys ({', '.join(others)}, ... and {last})"
    return f"{', '.join(others)} and {last}" if others else last


def _named(rows: list[int]) -> list[int]:
    return rows if len(rows) <= _ALL_NAMED else [*rows[:3], rows[-1]]
