"""Why a few operations contradict a set that only grows, in words."""

import numpy as np

from statelab.check.kernels.words import Cast
from statelab.check.kernels.words import milliseconds
from statelab.check.models.set.evidence import Evidence
from statelab.check.models.set.witness import Witness
from statelab.record.columns import FAIL
from statelab.record.columns import INF
from statelab.record.columns import History
from statelab.record.columns import Integers

_SHOWN = 6
"""How many elements of a list are written out."""


def proof(evidence: Evidence, witness: Witness) -> str:
    """The proof of a witness."""
    told = _Told(evidence, witness)
    write = {"unexpected": _unexpected, "duplicated": _duplicated, "fork": _fork, "order": _order}
    return f"{write.get(witness.kind, _missed)(told)}. {told.cast.introductions()}"


class _Told:
    """What the operations of a witness did: `A added 4`, `B found 4`, `C listed 1, 2 and 4`."""

    def __init__(self, evidence: Evidence, witness: Witness) -> None:
        self.evidence, self.witness = evidence, witness
        self.cast = Cast(evidence.history, witness.rows)
        self.slack = milliseconds(witness.slack_ns or 0)
        self.names = [self.cast.name(row) for row in witness.rows]
        self.numbers = [_number(evidence, element) for element in witness.elements]
        self.texts = [_text(evidence.history, number) for number in self.numbers]

    def did(self, place: int, about: int | None = 0) -> str:
        """`A listed 4 and 12 other elements`: `about` is the element that must not be left out of a long list."""
        row, name = self.witness.rows[place], self.names[place]
        if about is not None and not self.evidence.history.is_op("elements")[row]:
            added = self.evidence.history.is_op("add")[row]
            return f"{name} {'added' if added else 'found'} {self.texts[about]}"
        wanted = () if about is None else (self.numbers[about],)
        return f"{name} {_listed(self.evidence.history, row, wanted)}"

    def ended_before(self, first: int, second: int) -> str:
        return f"{self.names[first]} had ended {self.slack} before {self.names[second]} started"


def _unexpected(told: _Told) -> str:
    element = told.witness.elements[0]
    if told.evidence.asked[element] != INF:
        why = f"The first add of {told.texts[0]} started {told.slack} after {told.names[0]} had ended"
    elif _refused(told.evidence.history, told.witness.rows[0], told.numbers[0]):
        why = f"Whoever asked to add {told.texts[0]} was refused, without any effect"
    else:
        why = f"Nobody ever asked to add {told.texts[0]}"
    return f"{told.did(0)}. {why}"


def _refused(history: History, row: int, number: int) -> bool:
    failed = history.is_op("add") & (history.status == FAIL) & (history.key == history.key[row])
    return history.value is not None and bool((failed & (history.value == number)).any())


def _duplicated(told: _Told) -> str:
    times = int(np.count_nonzero(_list(told.evidence.history, told.witness.rows[0]) == told.numbers[0]))
    often = "twice" if times == 2 else f"{times:,} times"
    return f"{told.did(0)}, and {told.texts[0]} {often}. A set holds each element once"


def _fork(told: _Told) -> str:
    (one, two), (mine, other) = told.names, told.texts
    return (
        f"{told.did(0, 0)}, but not {other}. {told.did(1, 1)}, but not {mine}. "
        f"Whichever of {one} and {two} came second must have all that the first one listed"
    )


def _missed(told: _Told) -> str:
    element = told.texts[0]
    if told.evidence.history.is_op("elements")[told.witness.rows[1]]:
        found = told.did(1, None)
        found = found if found.endswith("nothing") else f"{found}, without {element}"
    else:
        found = f"{told.names[1]} did not find {element}"
    later = "It was there again later" if told.witness.kind == "stale" else "Nobody who looked later found it"
    return f"{told.did(0)}. {told.ended_before(0, 1)}, yet {found}: a set that only grows loses no element. {later}"


def _order(told: _Told) -> str:
    late, early = told.texts
    if len(told.names) == 3:
        before = f"{told.ended_before(0, 1)}, and {told.names[1]} did not find {late}"
    else:
        before = f"{told.names[0]} had ended {told.slack} before anybody asked to add {late}"
    return f"{told.did(0, 1)}. {before}: {early} came before {late}. But {told.did(-1, 0)}, without {early}"


def _listed(history: History, row: int, wanted: tuple[int, ...]) -> str:
    numbers = dict.fromkeys(_list(history, row).tolist())
    if not numbers:
        return "listed nothing"
    if len(numbers) > _SHOWN:
        others = len(numbers) - len(wanted)
        texts = [_text(history, number) for number in wanted] + [f"{others:,} {'other ' if wanted else ''}elements"]
    else:
        texts = [_text(history, number) for number in numbers]
    return "listed " + (texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}")


def _list(history: History, row: int) -> Integers:
    assert history.elements is not None
    return history.elements[row]


def _number(evidence: Evidence, element: int) -> int:
    """The number that stands for the element in the history's columns."""
    history = evidence.history
    rows = np.flatnonzero(evidence.element == element)
    if len(rows) and history.value is not None:
        return int(history.value[rows[0]])
    assert history.elements is not None
    return int(history.elements.number[np.argmax(evidence.listed.element == element)])


def _text(history: History, number: int) -> str:
    value = history.shown(number)
    return f'"{value}"' if isinstance(value, str) else str(value)
