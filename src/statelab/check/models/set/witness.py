"""The smallest witness among all that is wrong with a grow-only set; set/model.py says why there is no smaller one."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels.packing import spans
from statelab.check.models.set.evidence import NEVER
from statelab.check.models.set.evidence import Evidence
from statelab.check.models.set.lists import Chain
from statelab.check.models.set.lists import Swaps
from statelab.record.columns import INF
from statelab.record.columns import Mask

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
