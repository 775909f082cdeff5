"""Why what buyers were told contradicts a stock of N, for a reader who does not know the algorithm."""

from statelab.checkers.inventory_witness import Witness
from statelab.checkers.prose import Cast
from statelab.checkers.prose import milliseconds
from statelab.checkers.prose import plural
from statelab.columns import History

_ALL_NAMED = 6


def words(history: History, witness: Witness, stock: int) -> str:
    """The proof of a witness; of more than six operations the first three and the last are named."""
    cast = Cast(history, witness.rows)
    if witness.kind == "oversold":
        count = "Nobody" if stock == 0 else f"Only {stock:,}"
        verb = "was" if len(witness.rows) == 1 else "were all" if len(witness.rows) > 2 else "were both"
        text = f"{_together(cast, cast.rows)} {verb} told ok. {count} can be: {_in_stock(stock)} in stock."
    elif witness.kind == "late-sale":
        text = _late(cast, witness)
    else:
        text = _false(cast, witness, stock)
    return f"{text} " + " ".join(f"{cast.name(row)}: {cast.facts(row)}." for row in _named(cast.rows))


def _in_stock(stock: int) -> str:
    return f"{stock:,} was" if stock == 1 else f"{stock:,} were" if stock else "nothing was"


def _late(cast: Cast, witness: Witness) -> str:
    refused, bought = (cast.name(row) for row in witness.rows)
    return (
        f"{refused} was told sold-out. {refused} had ended {milliseconds(witness.slack_ns or 0)} before {bought} "
        f"started, yet {bought} was told ok: what is sold out does not come back."
    )


def _false(cast: Cast, witness: Witness, stock: int) -> str:
    first, *others = witness.rows
    name, left = cast.name(first), witness.asked - len(others)
    text = (
        f"{name} was told sold-out. {_in_stock(stock).capitalize()} in stock, and when {name} ended "
        f"{plural(witness.asked, 'other buy')} had been asked for"
    )
    if others:
        refused = _together(cast, sorted(others, key=cast.rows.index))
        text += (
            f". But of these {refused} {'was' if len(others) == 1 else 'were'} told sold-out, too. That leaves {left:,}"
        )
    return f"{text}. At least {stock - left:,} {'was' if stock - left == 1 else 'were'} still there."


def _together(cast: Cast, rows: list[int]) -> str:
    """`A`, `A and B`, `A, B and C`, or `101 buys (A, B, C, ... and operation 101)`."""
    *others, last = (cast.name(row) for row in _named(rows))
    if len(rows) > _ALL_NAMED:
        return f"{len(rows):,} buys ({', '.join(others)}, ... and {last})"
    return f"{', '.join(others)} and {last}" if others else last


def _named(rows: list[int]) -> list[int]:
    return rows if len(rows) <= _ALL_NAMED else [*rows[:3], rows[-1]]
