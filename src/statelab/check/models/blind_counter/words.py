"""Why what was read of a blind counter contradicts itself, for a reader who does not know the algorithm."""

from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import milliseconds
from statelab.check.kernels.words import plural
from statelab.check.models.blind_counter.witness import Witness
from statelab.record.columns import History

_ALL_NAMED = 6


def words(history: History, witness: Witness, initial: int) -> str:
    """The proof of a witness; of more than six increments the first three and the last are named."""
    cast = Cast(history, witness.rows)
    shown = {row: int(history.result[row]) if history.has_result[row] else initial for row in witness.reads}
    if witness.kind == "missing":
        text = _missing(cast, witness, shown, initial)
    elif witness.kind == "inversion":
        text = _inversion(cast, witness)
    elif witness.kind == "too-high":
        text = _too_high(cast, witness, shown[witness.read] - initial)
    else:
        text = f"{cast.told(witness.read)}. The counter starts at {initial:,} and never goes down."
    return f"{text} {_introductions(cast, witness)}"


def _too_high(cast: Cast, witness: Witness, needed: int) -> str:
    name = cast.name(witness.read)
    return (
        f"{cast.told(witness.read)}, which takes {plural(needed, 'increment')}; {witness.asked:,} had been asked for "
        f"when {name} ended. Nobody can have added the rest."
    )


def _inversion(cast: Cast, witness: Witness) -> str:
    first, second = cast.rows
    apart = f"{cast.name(first)} had ended {milliseconds(witness.slack_ns or 0)} before {cast.name(second)} started"
    return f"{cast.told(first)}. {apart}, yet {cast.told(second)}: a counter never goes down."


def _missing(cast: Cast, witness: Witness, shown: dict[int, int], initial: int) -> str:
    last, count = cast.name(witness.read), len(witness.increments)
    least = count + (initial if witness.base is None else shown[witness.base])
    added = f"{_together(cast, witness.increments)} added one{' each' if count > 1 else ''}"
    distance = milliseconds(witness.slack_ns or 0)
    if witness.base is None:
        when = f"{added} and had ended at least {distance} before {last} started. The counter starts at {initial:,}"
    else:
        first = cast.name(witness.base)
        when = (
            f"{cast.told(witness.base)}. {added}, at least {distance} after {first} had ended and at least {distance} "
            f"before {last} started. What {first} saw is there, too"
        )
    return f"{when}, so {last} had to read {least:,} or more. But {cast.told(witness.read)}."


def _together(cast: Cast, rows: tuple[int, ...]) -> str:
    """`B`, `B and C`, `B, C and D`, or `401 increments (A, B, C, ... and operation 401)`."""
    names = [cast.name(row) for row in _named(rows)]
    *others, last = names
    if len(rows) > len(names):
        return f"{len(rows):,} increments ({', '.join(others)}, ... and {last})"
    return f"{', '.join(others)} and {last}" if others else last


def _named(rows: tuple[int, ...]) -> tuple[int, ...]:
    return rows if len(rows) <= _ALL_NAMED else (*rows[:3], rows[-1])


def _introductions(cast: Cast, witness: Witness) -> str:
    rows = (*witness.reads[:-1], *_named(witness.increments), witness.read)
    return " ".join(f"{cast.name(row)}: {cast.facts(row)}." for row in rows)
