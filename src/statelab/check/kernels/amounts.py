"""Counters whose operations add different amounts: decided exactly, by search, one key at a time.

With differing steps it is NP-hard whether operations of unknown outcome explain an answer (subset sum), so there is no
rule. First a cheap test: no operation can have found the counter further from the initial value than all others that
had been asked for by its end, and that go the same way, can move it. Then the search (kernels/search.py): the state is
the value; operations of unknown outcome are open for ever and may be left out. It keeps few configurations at each
moment, and more only where these lead nowhere (`WIDTHS`). Where it ends before the answer, the verdict is `unknown`.

An operation may be told the new value (the model `counter`) or nothing (`blind-counter`).
"""

from functools import partial

import numpy as np

from statelab.check.kernels.apart import Part, of_each_key
from statelab.check.kernels.model import Deadline, Finding
from statelab.check.kernels.pairs import precedences
from statelab.check.kernels.search import REFUSED, Outcome, Specification, search, smallest
from statelab.check.kernels.words import ALL_NAMED, Cast, named
from statelab.core.errors import counted
from statelab.record.columns import FAIL, OK, History, Mask

CHANGES = ("increment", "decrement")

WIDTHS = (8, 64, 512)
"""How many configurations are kept at a moment, at first and then."""


def added(history: History) -> list[int]:
    """By how much each operation moves the counter: by 1 where no `value` says it; 0 for reads."""
    sign: list[int] = (history.is_op("increment").astype(np.int64) - history.is_op("decrement")).tolist()
    if history.value is None or history.has_value is None:
        return sign
    said = zip(sign, history.value.tolist(), history.has_value.tolist(), strict=True)
    return [way * value if has else way for way, value, has in said]


def keys_with(history: History) -> Mask:
    """The keys of which somebody asked for another amount than 1."""
    if history.value is None or history.has_value is None:
        return np.zeros(len(history.keys), np.bool_)
    other = history.has_value & (history.value != 1) & (history.status != FAIL)
    return np.bincount(history.key[other], minlength=len(history.keys)) > 0


def parts(history: History, keys: Mask, initial: int, deadline: Deadline) -> list[Part]:
    """Each of these keys, judged by itself."""
    return [(rows, partial(judged, initial=initial, deadline=deadline)) for rows in of_each_key(history, keys)]


def judged(history: History, *, initial: int, deadline: Deadline) -> Finding:
    """Whether one counter explains all answers; the history is of one key."""
    outcome = searched(history, initial, deadline)
    if outcome.verdict == "held":
        return Finding(verdict="held", reason="one counter explains all answers, with every amount in it")
    if outcome.stuck is None:
        done = f"{outcome.placed:,} of the {outcome.of:,} answers of key {history.keys[int(history.key[0])]!r}"
        return Finding(verdict="unknown", reason=f"{done} fit one counter, then the search ended: {outcome.why}")
    proving = deadline.for_proof()

    def violated(part: History) -> bool:
        return searched(part, initial, proving).verdict == "violated"

    witness = smallest(history, outcome.stuck, CHANGES, violated, proving)
    return Finding(
        verdict="violated",
        reason="no counter that adds what each request asks for can have given these answers",
        proof=witness.proof(_words(history, witness.rows, initial)),
        violated_keys=(int(history.key[0]),),
    )


def searched(history: History, initial: int, deadline: Deadline) -> Outcome:
    """Whether one counter explains the history of one key."""
    by, is_read = added(history), history.is_op("read").tolist()
    answers = (history.status == OK) & (history.has_result | history.is_op("read"))
    told = [
        (value if has else initial) if answered else None
        for value, has, answered in zip(
            history.result.tolist(), history.has_result.tolist(), answers.tolist(), strict=True
        )
    ]
    far = _out_of_reach(history, by, told, initial)
    if far is not None:
        return Outcome("violated", 0, int(np.count_nonzero(history.status == OK)), far)

    def step(state: int, cost: int, row: int) -> object:
        new = state + by[row]
        return (new, cost) if told[row] is None or told[row] == new else REFUSED

    counter = Specification(
        initial=initial,
        step=step,
        reads=np.array([amount == 0 for amount in by], np.bool_),
        request=lambda row: (is_read[row], by[row], told[row]),
        widths=WIDTHS,
    )
    return search(history, np.flatnonzero(history.status != FAIL), counter, deadline=deadline)


def _out_of_reach(history: History, by: list[int], told: list[int | None], initial: int) -> int | None:
    """An operation that found the counter where all others that had been asked for by its end cannot have moved it."""
    moves = np.flatnonzero((history.status != FAIL) & (np.array(by, object) != 0))
    moves = moves[np.argsort(history.start[moves], kind="stable")]
    up, down = [0], [0]  # after so many of them; integers of Python, which do not overflow
    for row in moves.tolist():
        up.append(up[-1] + max(by[row], 0))
        down.append(down[-1] + min(by[row], 0))
    asked = np.searchsorted(history.start[moves], history.end, "right").tolist()
    for row, shown in enumerate(told):
        if shown is None:
            continue
        found, own = shown - by[row] - initial, by[row]
        if not down[asked[row]] - min(own, 0) <= found <= up[asked[row]] - max(own, 0):
            return row
    return None


def _words(history: History, rows: tuple[int, ...], initial: int) -> str:
    cast, by = Cast(history, rows), added(history)

    def of_one(row: int) -> str:
        if cast.is_read(row):
            return cast.told(row)
        done = f"{cast.name(row)} added {by[row]:,}"
        return f"{done} and {cast.showed(row)}" if history.has_result[row] else done

    shown = ". ".join(of_one(row) for row in named(cast.rows))
    many = len(cast.rows) > ALL_NAMED
    if many:
        shown = f"These are {len(cast.rows):,} operations; the first three and the last are named. {shown}"
    before = "" if many or len(cast.rows) == 1 else f" {precedences(history, cast)}"
    by_then = ~history.is_op("read") & (history.status != FAIL) & (history.start <= history.end[list(rows)].max())
    by_then[list(rows)] = False
    others = [by[row] for row in np.flatnonzero(by_then).tolist()]
    which = ""
    if others:
        which = (
            f" By the end of these {counted(len(others), 'other request')} had been sent, to add {min(others):,} to "
            f"{max(others):,}."
        )
    return (
        f"{shown}.{before} The counter starts at {initial:,}.{which} Whichever of them took effect, in every order "
        f"that the times allow one of these answers is wrong. {cast.introductions(named(cast.rows))}"
    )
