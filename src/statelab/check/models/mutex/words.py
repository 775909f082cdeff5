"""Why what clients were told contradicts a lock, for a reader who does not know the algorithm."""

import numpy as np

from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import milliseconds
from statelab.check.kernels.words import plural
from statelab.check.models.mutex.witness import Witness
from statelab.record.columns import FAIL
from statelab.record.columns import INF
from statelab.record.columns import History

_ALL_NAMED = 6


def words(history: History, witness: Witness) -> str:
    """The proof of a witness; of more than six operations the first three and the last are named."""
    cast = Cast(history, witness.rows)
    if witness.kind == "no-hold":
        text = _no_hold(history, cast)
    elif witness.kind == "no-order":
        text = _no_order(history, cast)
    else:
        text = _pair(history, cast, witness.kind)
    return f"{text} " + " ".join(f"{cast.name(row)}: {cast.facts(row)}." for row in _named(cast.rows))


def _named(rows: list[int]) -> list[int]:
    return rows if len(rows) <= _ALL_NAMED else [*rows[:3], rows[-1]]


def _client(history: History, row: int) -> str:
    return f"client {history.processes[history.process[row]]}"


def _did(history: History, cast: Cast, row: int) -> str:
    """`A acquired the lock for client 1`."""
    verb = "acquired" if history.is_op("acquire")[row] else "released"
    return f"{cast.name(row)} {verb} the lock for {_client(history, row)}"


def _pair(history: History, cast: Cast, kind: str) -> str:
    one, other = cast.rows
    if kind == "not-the-holder" and not history.is_op("acquire")[one]:
        one, other = other, one
    first, second = cast.name(one), cast.name(other)
    reasons = {
        "two-holders": "A lock has one holder at a time",
        "acquired-twice": "A lock that is held must be released before it is acquired again",
        "not-the-holder": f"{second} must lie in a hold of its own client, so not in that of {first}",
    }
    return (
        f"{_did(history, cast, one)}, and {_did(history, cast, other)}. {reasons[kind]}. "
        f"{second} did not come after the hold of {first}: {_too_early(history, cast, one, other)}. "
        f"Nor did {first} come later: {_too_early(history, cast, other, one)}."
    )


def _too_early(history: History, cast: Cast, held: int, other: int) -> str:
    """Why `other` did not come after `held` and the end of its hold."""
    end, start = int(history.end[other]), int(history.start[held])
    if end < start:
        return f"{cast.name(other)} had ended {milliseconds(start - end)} before {cast.name(held)} started"
    freed = _freed(history, held)
    when = "it never did" if freed == INF else f"it did so {milliseconds(freed - end)} later"
    return f"when {cast.name(other)} ended, {_client(history, held)} had not asked to release what it held: {when}"


def _freed(history: History, row: int) -> int:
    """When the client of an acquire first asked for a release after it; INF: never."""
    mine = (history.process == history.process[row]) & (history.key == history.key[row]) & (history.status != FAIL)
    return int(history.start[mine & history.is_op("release") & (history.start >= history.start[row])].min(initial=INF))


def _asked(history: History, op: str, row: int, by: int) -> int:
    """How many operations of that name the client of a row had asked for on its key by a time."""
    mine = (history.process == history.process[row]) & (history.key == history.key[row]) & (history.status != FAIL)
    return int(np.count_nonzero(mine & history.is_op(op) & (history.start <= by)))


def _no_hold(history: History, cast: Cast) -> str:
    last, who = cast.rows[-1], _client(history, cast.rows[-1])
    asked = _asked(history, "acquire", last, int(history.start[last]))
    if not asked:
        return f"{_did(history, cast, last)}, which had never asked for it when {cast.name(last)} started."
    *others, name = (cast.name(row) for row in _named(cast.rows))
    names = f"{', '.join(others)}, ... and {name}" if len(cast.rows) > _ALL_NAMED else f"{', '.join(others)} and {name}"
    return (
        f"{len(cast.rows):,} times {who} released the lock ({names}). Each release ends a hold of its own, but when "
        f"{name} started {who} had asked for the lock only {plural(asked, 'time')}."
    )


def _no_order(history: History, cast: Cast) -> str:
    end = int(history.end[cast.rows].max())
    told = ". ".join(_did(history, cast, row) for row in _named(cast.rows))
    if len(cast.rows) > _ALL_NAMED:
        told += f". They are {len(cast.rows):,} operations"
    clients = {int(history.process[row]): row for row in cast.rows}
    asked = " ".join(
        f"By then {_client(history, row)} had asked for {plural(_asked(history, 'acquire', row, end), 'acquire')} and "
        f"{plural(_asked(history, 'release', row, end), 'release')} in all."
        for row in clients.values()
    )
    before = f" {precedences(history, cast)}" if len(cast.rows) <= _ALL_NAMED else ""
    return (
        f"{told}.{before} {asked} Whichever of the others took effect, in every order that the times allow the lock is "
        f"acquired while it is held, or released by a client that does not hold it."
    )
