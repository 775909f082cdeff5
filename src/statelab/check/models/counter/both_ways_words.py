"""Why answers contradict a counter that goes up and down by one, for a reader who does not know the algorithm."""

import numpy as np

from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import plural
from statelab.check.models.counter.both_ways_witness import Witness
from statelab.record.columns import FAIL
from statelab.record.columns import History

_ALL_NAMED = 6
_DELTA = {"increment": 1, "decrement": -1, "read": 0}


def words(history: History, witness: Witness, initial: int) -> str:
    """The proof of a witness."""
    cast = Cast(history, witness.rows)
    text = _gap(history, cast, initial) if witness.kind == "gap" else _no_order(history, cast, initial)
    named = cast.rows if len(cast.rows) <= _ALL_NAMED else [*cast.rows[:3], cast.rows[-1]]
    return f"{text} " + " ".join(f"{cast.name(row)}: {cast.facts(row)}." for row in named)


def _gap(history: History, cast: Cast, initial: int) -> str:
    (row,) = cast.rows
    name, by = cast.name(row), _DELTA[history.ops[history.op[row]]]
    moved = cast.value(row) - by - initial
    step = "increment" if moved > 0 else "decrement"
    found = f", so it found {cast.value(row) - by:,}" if by else ""
    asked = _asked(history, step, int(history.end[row]), cast.rows)
    return (
        f"{_told(history, cast, row)}{found}. The counter starts at {initial:,}, so that takes "
        f"{plural(abs(moved), f'other {step}' if by else step)}; {asked:,} had been asked for when {name} ended."
    )


def _no_order(history: History, cast: Cast, initial: int) -> str:
    if len(cast.rows) > _ALL_NAMED:
        return _many(history, cast, initial)
    told = ". ".join(_told(history, cast, row) for row in cast.rows)
    end = int(history.end[cast.rows].max())
    up, down = (_asked(history, op, end, cast.rows) for op in ("increment", "decrement"))
    return (
        f"{told}. {precedences(history, cast)} The counter starts at {initial:,}, and between one of these answers "
        f"and the next only other requests can move it, each by one and once. {_even_with(up, down)} in every order "
        f"that the times allow one of these answers is wrong."
    )


def _many(history: History, cast: Cast, initial: int) -> str:
    named = [*cast.rows[:3], cast.rows[-1]]
    told = ". ".join(_told(history, cast, row) for row in named)
    end = int(history.end[cast.rows].max())
    up, down = (_asked(history, op, end, cast.rows) for op in ("increment", "decrement"))
    return (
        f"These are {len(cast.rows):,} operations; the first three and the last are named. {told}. The counter starts "
        f"at {initial:,}, and between one of these answers and the next only other requests can move it, each by one "
        f"and once. {_even_with(up, down)} in every order that the times allow one of these answers is wrong."
    )


def _even_with(up: int, down: int) -> str:
    if up + down == 0:
        return "None had been asked for by then, so"
    others = f"{plural(up, 'other increment')} and {plural(down, 'other decrement')}"
    return f"By then {others} had been asked for, but at whatever moments they took effect,"


def _told(history: History, cast: Cast, row: int) -> str:
    """`A read 4`, or `A incremented and was told 4`."""
    step = "" if cast.is_read(row) else f"{history.ops[history.op[row]]}ed and "
    return f"{cast.name(row)} {step}{cast.showed(row)}"


def _asked(history: History, op: str, end: int, without: list[int]) -> int:
    asked = history.is_op(op) & (history.status != FAIL) & (history.start <= end)
    asked[without] = False
    return int(np.count_nonzero(asked))
