"""Reads while no acknowledged increment was running: one copy of the state must answer all of them alike."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from statelab.check.judges.counter.levels import Quiet, Split
from statelab.check.models.counter.ranked import Answers


def disagreement(quiet: Quiet, split: Split) -> list[int] | None:
    """Reads of one part (rows) that one copy cannot have answered; None if there are none.

    Between two reads of different values the state must have changed. While no acknowledged increment was running, only
    increments of unknown outcome can have changed it, once each. More changes than that are a contradiction. The latest
    reads are looked at first.
    """
    for part, rows in _differing(quiet, split):
        most = allowed(split, part)
        changes = _must_have_changed(split.found.given, rows)
        if len(changes) - 1 > most:
            return changes[: most + 2] if most else _closest_that_differ(split.found.given, rows)
    return None


def allowed(split: Split, part: int) -> int:
    """How often a part may change while no acknowledged increment is running: once per unknown outcome."""
    return int(split.totals.unknown[part]) + split.totals.shared


def _differing(quiet: Quiet, split: Split) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Groups of quiet reads of one part, between the same increments, that differ: part and rows, latest first."""
    given, answers = split.found.given, split.found.by_number
    part = answers.counter_of(given.history, quiet.rows)
    moments = quiet.epoch * (len(answers.first) + 1) + part + 1
    by_moment = np.lexsort((quiet.rows, moments))
    rows, moments = quiet.rows[by_moment], moments[by_moment]
    for same in reversed(np.split(np.arange(len(rows)), np.flatnonzero(np.diff(moments)) + 1)):
        counter = int(moments[same[0]] % (len(answers.first) + 1)) - 1 if len(same) else -1
        if counter >= 0 and np.ptp(given.value[rows[same]]):
            yield counter, rows[same]


def _must_have_changed(given: Answers, rows: NDArray[np.intp]) -> list[int]:
    """Reads whose values prove that the state changed len - 1 times: the longer one of two lists.

    Either a chain in which each read ended before the next one started and found another value, or one read per value.
    """
    _, one_of_each = np.unique(given.value[rows], return_index=True)
    start, end, value = given.history.start, given.history.end, given.value
    chain: list[int] = []
    for row in rows[np.argsort(end[rows], kind="stable")].tolist():
        if not chain or (start[row] > end[chain[-1]] and value[row] != value[chain[-1]]):
            chain.append(row)
    return max(chain, rows[one_of_each].tolist(), key=len)


def _closest_that_differ(given: Answers, rows: NDArray[np.intp]) -> list[int]:
    """Two reads of different values, next to each other in time, with the shortest span."""
    start, end = given.history.start, given.history.end
    rows = rows[np.argsort(start[rows], kind="stable")]
    differ = np.flatnonzero(given.value[rows[1:]] != given.value[rows[:-1]])
    span = np.maximum(end[rows[differ]], end[rows[differ + 1]]) - start[rows[differ]]
    best = differ[np.argmin(span)]
    return [int(rows[best]), int(rows[best + 1])]
