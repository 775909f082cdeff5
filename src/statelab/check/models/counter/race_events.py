"""Race events: the few moments at which a counter was set back, behind the many numbers handed out twice."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statelab.check.kernels.order import begins
from statelab.check.models.counter.ranked import RankedAnswers
from statelab.record.columns import Integers


@dataclass(frozen=True, slots=True)
class RaceEvent:
    """One maximal run `first`..`last` of consecutive numbers that were each handed out more than once.

    Of the increments told `first`, `original` ended first and `culprit` last: it read early and wrote late. Before it
    had ended, the numbers `first`.. were already handed out, `rolled_back` of them without a break; it set the counter
    back to `first`. `reissue` is the increment that was then told `first + 1` once more (None if `rolled_back` is 1).
    `surplus` is how many answers the run has beyond one per number. Rows of the history.
    """

    culprit: int
    original: int
    reissue: int | None
    first: int
    last: int
    rolled_back: int
    surplus: int

    @property
    def alone(self) -> bool:
        """Whether the culprit explains the whole run: each of its numbers was handed out twice and rolled back."""
        return self.rolled_back == self.surplus == abs(self.last - self.first) + 1


def race_events(told: RankedAnswers) -> tuple[RaceEvent, ...]:
    """All race events, by counter and number. O(d log d) in the number d of increments that share their number."""
    shared = _repeated(told)
    if not len(shared):
        return ()
    shared = shared[np.lexsort((told.end[shared], told.code[shared]))]
    head = np.flatnonzero(begins(told.code[shared]))
    tail = np.append(head[1:], len(shared)) - 1
    original, last_told = shared[head], shared[tail]
    run = np.flatnonzero(_breaks(told, original))
    stop = np.append(run[1:], len(head))
    rolled_back = _rolled_back(told.end[original], told.end[last_told], run, stop)
    following = told.row[last_told[np.minimum(run + 1, len(head) - 1)]]
    columns = (
        told.row[last_told[run]],
        told.row[original[run]],
        np.where(rolled_back > 1, following, -1),
        told.value[original[run]],
        told.value[original[stop - 1]],
        rolled_back,
        np.add.reduceat(tail - head, run),
    )
    return tuple(_event(*fields) for fields in zip(*(column.tolist() for column in columns), strict=True))


def _event(culprit: int, original: int, reissue: int, *rest: int) -> RaceEvent:
    return RaceEvent(culprit, original, None if reissue < 0 else reissue, *rest)


def _repeated(told: RankedAnswers) -> NDArray[np.intp]:
    """Positions of increments that share their number with another."""
    again = ~told.new & ~told.read
    again[:-1] |= again[1:] & ~told.new[1:]
    return np.flatnonzero(again & ~told.read)


def _breaks(told: RankedAnswers, heads: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Where a run begins, among one position per repeated number: another counter, or a number in between."""
    counter, value = told.counter[heads], told.value[heads]
    broken = np.ones(len(heads), np.bool_)
    broken[1:] = (counter[1:] != counter[:-1]) | (value[1:] != value[:-1] + 1)
    return broken


def _rolled_back(
    first_end: Integers, last_end: Integers, run: NDArray[np.intp], stop: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Per run, how many numbers from its first on had been handed out before the culprit ended, without a break."""
    culprit_end = np.repeat(last_end[run], stop - run)
    position = np.arange(len(first_end))
    unbroken = np.where(first_end <= culprit_end, len(first_end), position)
    return np.minimum(np.minimum.reduceat(unbroken, run), stop) - run
