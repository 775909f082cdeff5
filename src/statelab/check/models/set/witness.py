"""The smallest witness among all that is wrong with a grow-only set; set/model.py says why there is no smaller one.

The second half puts it in words.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels.packing import spans
from statelab.check.kernels.words import Cast
from statelab.check.models.set.evidence import NEVER, Evidence
from statelab.check.models.set.lists import Chain, Swaps
from statelab.core.errors import listed
from statelab.record.columns import FAIL, INF, History, Integers, Mask

Kind = Literal["unexpected", "duplicated", "fork", "lost", "stale", "order"]

MOST = 100
"""Of equally bad elements, how many are compared by the span of their witness."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Rows in the order of the proof, the elements it speaks of, and by how many ns (None: no clock is needed)."""

    kind: Kind
    rows: tuple[int, ...]
    elements: tuple[int, ...] = ()
    slack_ns: int | None = None


def of_one(evidence: Evidence, chain: Chain, unexpected: Mask) -> Witness | None:
    """One operation that contradicts the requests alone."""
    nobody = np.flatnonzero(unexpected & (evidence.asked == INF))
    if len(nobody):
        return _shortest([_too_early(evidence, int(e)) for e in nobody[:MOST]], evidence)
    if len(chain.twice):
        return _shortest([_twice(evidence, chain, int(read)) for read in chain.twice[:MOST]], evidence)
    worst = _largest(np.flatnonzero(unexpected), evidence.asked - evidence.told)
    return _shortest([_too_early(evidence, e) for e in worst], evidence)


def of_two(evidence: Evidence, chain: Chain, lacking: Mask, early: Swaps | None) -> Witness | None:
    """Two operations that contradict each other."""
    if len(chain.forks):
        pairs = [_fork(evidence, chain, int(a), int(b)) for a, b in chain.forks[:MOST]]
        return _shortest(pairs, evidence)
    worst = _largest(np.flatnonzero(lacking), evidence.missed - evidence.present)
    found = [_missed(evidence, e) for e in worst]
    if early is not None and (not found or early.worst.slack_ns > (found[0].slack_ns or 0)):
        found = [swapped(evidence, chain, early, probed=False)]
    return _shortest(found, evidence)


def swapped(evidence: Evidence, chain: Chain, found: Swaps, *, probed: bool) -> Witness:
    """A read that lists one element without the other, which was there before; `probed`: a contains tells so."""
    first, second = found.worst.first, found.worst.second
    listed = chain.listed
    same = listed.key == evidence.key[first]
    between = np.flatnonzero(same & (listed.size >= chain.size[first]) & (listed.size < chain.size[second]))
    proving = _latest(evidence, evidence.showing(second), int(evidence.present[second]))
    rows = [proving]
    if probed:
        rows.append(_soonest(evidence, evidence.missing(first), int(evidence.missed[first])))
    begin, end = evidence.history.start[rows].min(), evidence.history.end[rows].max()
    span = spans(np.minimum(begin, listed.start[between]), np.maximum(end, listed.end[between]))
    reading = int(listed.row[between[np.argmin(span)]])
    return Witness("order", (*rows, reading), (first, second), found.worst.slack_ns)


def _largest(elements: NDArray[np.intp], slack: NDArray[np.int64]) -> list[int]:
    if not len(elements):
        return []
    worst = elements[slack[elements] == slack[elements].max()]
    return [int(element) for element in worst[:MOST]]


def _shortest(witnesses: list[Witness], evidence: Evidence) -> Witness | None:
    history = evidence.history

    def span(witness: Witness) -> int:
        rows = list(witness.rows)
        return int(history.end[rows].max()) - int(history.start[rows].min())

    return min(witnesses, key=span, default=None)


def _too_early(evidence: Evidence, element: int) -> Witness:
    probes = evidence.showing(element)
    row = _latest(evidence, probes[~evidence.history.is_op("add")[probes]], int(evidence.told[element]))
    asked = int(evidence.asked[element])
    slack = None if asked == INF else asked - int(evidence.told[element])
    return Witness("unexpected", (row,), (element,), slack)


def _twice(evidence: Evidence, chain: Chain, read: int) -> Witness:
    elements, times = np.unique(evidence.listed.element[evidence.listed.read == read], return_counts=True)
    return Witness("duplicated", (int(chain.listed.row[read]),), (int(elements[np.argmax(times)]),))


def _fork(evidence: Evidence, chain: Chain, one: int, other: int) -> Witness:
    listed, start = chain.listed, evidence.history.start
    first, second = sorted((one, other), key=lambda read: int(start[listed.row[read]]))
    lists = [listed.element[listed.read == read] for read in (first, second)]
    only = [int(np.setdiff1d(*pair)[0]) for pair in (lists, lists[::-1])]
    return Witness("fork", (int(listed.row[first]), int(listed.row[second])), (only[0], only[1]))


def _missed(evidence: Evidence, element: int) -> Witness:
    present, missed = int(evidence.present[element]), int(evidence.missed[element])
    rows = (
        _latest(evidence, evidence.showing(element), present),
        _soonest(evidence, evidence.missing(element), missed),
    )
    kind: Kind = "stale" if evidence.shown[element] >= missed else "lost"
    return Witness(kind, rows, (element,), missed - present)


def _latest(evidence: Evidence, rows: NDArray[np.intp], end: int) -> int:
    """Of the rows that ended at that moment, the one that started last."""
    rows = rows[evidence.history.end[rows] == end]
    return int(rows[np.argmax(evidence.history.start[rows])])


def _soonest(evidence: Evidence, rows: NDArray[np.intp], start: int) -> int:
    """Of the rows that started at that moment, the one that ended first."""
    assert start != NEVER
    rows = rows[evidence.history.start[rows] == start]
    return int(rows[np.argmin(evidence.history.end[rows])])


_SHOWN = 6
"""How many elements of a list are written out."""


def proof(evidence: Evidence, witness: Witness) -> str:
    """The proof of a witness."""
    told = _Told(evidence, witness)
    return f"{_why(told)}. {told.cast.introductions()}"


class _Told:
    """What the operations of a witness did: `A added 4`, `B found 4`, `C listed 1, 2 and 4`."""

    def __init__(self, evidence: Evidence, witness: Witness) -> None:
        self.evidence, self.witness = evidence, witness
        self.cast = Cast(evidence.history, witness.rows)
        self.slack = self.cast.span(witness.slack_ns or 0)
        self.names = [self.cast.name(row) for row in witness.rows]
        self.numbers = [_number(evidence, element) for element in witness.elements]
        self.texts = [_text(evidence.history, number) for number in self.numbers]

    def did(self, place: int, about: int | None = 0) -> str:
        """`A listed 4 and 12 other elements`: `about` is the element that must not be left out of a long list."""
        history, row, name = self.evidence.history, self.witness.rows[place], self.names[place]
        if about is not None and not history.is_op("elements")[row]:
            return f"{name} {'added' if history.is_op('add')[row] else 'found'} {self.texts[about]}"
        numbers = list(dict.fromkeys(_list(history, row).tolist()))
        if not numbers:
            return f"{name} listed nothing"
        if len(numbers) <= _SHOWN:
            texts = [_text(history, number) for number in numbers]
        elif about is None:
            texts = [f"{len(numbers):,} elements"]
        else:
            texts = [self.texts[about], f"{len(numbers) - 1:,} other elements"]
        return f"{name} listed {listed(texts, 'and')}"

    def ended_before(self, first: int, second: int) -> str:
        return f"{self.names[first]} had ended {self.slack} before {self.names[second]} started"


def _why(told: _Told) -> str:
    history, kind, first = told.evidence.history, told.witness.kind, told.witness.rows[0]
    if kind == "unexpected":
        refused = history.is_op("add") & (history.status == FAIL) & (history.key == history.key[first])
        if told.evidence.asked[told.witness.elements[0]] != INF:
            why = f"The first add of {told.texts[0]} started {told.slack} after {told.names[0]} had ended"
        elif history.value is not None and (refused & (history.value == told.numbers[0])).any():
            why = f"Whoever asked to add {told.texts[0]} was refused, without any effect"
        else:
            why = f"Nobody ever asked to add {told.texts[0]}"
        return f"{told.did(0)}. {why}"
    if kind == "duplicated":
        times = int(np.count_nonzero(_list(history, first) == told.numbers[0]))
        often = "twice" if times == 2 else f"{times:,} times"
        return f"{told.did(0)}, and {told.texts[0]} {often}. A set holds each element once"
    if kind == "fork":
        (one, two), (mine, other) = told.names, told.texts
        return (
            f"{told.did(0, 0)}, but not {other}. {told.did(1, 1)}, but not {mine}. "
            f"Whichever of {one} and {two} came second must have all that the first one listed"
        )
    if kind == "order":
        late, early = told.texts
        if len(told.names) == 3:
            before = f"{told.ended_before(0, 1)}, and {told.names[1]} did not find {late}"
        else:
            before = f"{told.names[0]} had ended {told.slack} before anybody asked to add {late}"
        return f"{told.did(0, 1)}. {before}: {early} came before {late}. But {told.did(-1, 0)}, without {early}"
    found = f"{told.names[1]} did not find {told.texts[0]}"
    if history.is_op("elements")[told.witness.rows[1]]:
        found = told.did(1, None)
        found = found if found.endswith("nothing") else f"{found}, without {told.texts[0]}"
    later = "It was there again later" if kind == "stale" else "Nobody who looked later found it"
    return f"{told.did(0)}. {told.ended_before(0, 1)}, yet {found}: a set that only grows loses no element. {later}"


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
