"""Race events: the few moments at which a counter was set back. They explain the many numbers handed out twice."""

from dataclasses import dataclass

import numpy as np

from statelab.check.kernels.order import begins
from statelab.check.models.counter.ranked import RankedAnswers


@dataclass(frozen=True, slots=True)
class RaceEvent:
    """One maximal run `first`..`last` of consecutive numbers that were each handed out more than once.

    Of the increments told `first`, `original` ended first and `culprit` last: it read early and wrote late. Before it
    had ended, the numbers `first`.. were already handed out, `rolled_back` of them without a break; it set the counter
    back to `first`. `reissue` is the increment that was then told `first + 1` once more (None if `rolled_back` is 1).
    `surplus` is how many more answers than numbers the run has. Rows of the history.
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
    # The increments that share their number with another, by number and, of one number, by their ends.
    again = ~told.new & ~told.read
    again[:-1] |= again[1:] & ~told.new[1:]
    shared = np.flatnonzero(again & ~told.read)
    if not len(shared):
        return ()
    shared = shared[np.lexsort((told.end[shared], told.code[shared]))]
    head = np.flatnonzero(begins(told.code[shared]))
    tail = np.append(head[1:], len(shared)) - 1
    original, last_told = shared[head], shared[tail]
    # A run begins where another counter does, or where a number in between was handed out once.
    counter, value = told.counter[original], told.value[original]
    broken = np.ones(len(head), np.bool_)
    broken[1:] = (counter[1:] != counter[:-1]) | (value[1:] != value[:-1] + 1)
    run = np.flatnonzero(broken)
    stop = np.append(run[1:], len(head))
    # How many numbers from the first of a run on had been handed out before the culprit ended, without a break.
    first_end, culprit_end = told.end[original], np.repeat(told.end[last_told][run], stop - run)
    unbroken = np.where(first_end <= culprit_end, len(head), np.arange(len(head)))
    rolled_back = np.minimum(np.minimum.reduceat(unbroken, run), stop) - run
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
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return tuple(RaceEvent(one, two, None if reissue < 0 else reissue, *rest) for one, two, reissue, *rest in rows)
