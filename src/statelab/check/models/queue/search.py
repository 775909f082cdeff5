"""The search for queues: of the keys whose elements the rule does not tell apart, or cannot place."""

from bisect import insort
from collections.abc import Hashable
from typing import Any

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import REFUSED, Outcome, Specification, search
from statelab.record.columns import FAIL, INFO, OK, History, Integers


def searched(history: History, rows: Integers, ordered: bool, deadline: Deadline) -> Outcome:
    """Whether one queue explains these rows, all of one key.

    An enqueue of unknown outcome whose value nobody dequeued is left out: an order without it, and without the unknown
    dequeue that may have taken its value, explains the same answers.
    """
    dequeue, unknown = history.is_op("dequeue")[rows], history.status[rows] == INFO
    taken = np.unique(history.result[rows[dequeue & (history.status[rows] == OK) & history.has_result[rows]]])
    useless = np.zeros(len(rows), np.bool_)
    if history.value is not None:
        useless = ~dequeue & unknown & ~np.isin(history.value[rows], taken)
    rows = rows[(history.status[rows] != FAIL) & ~useless]
    return search(history, rows, _fifo(history), deadline=deadline) if ordered else _bag(history, rows, deadline)


def _numbers(history: History) -> tuple[list[bool], list[int | None]]:
    """Of each row whether it puts something in, and what it put in or took out (None: nothing, or unknown)."""
    puts = history.is_op("enqueue")
    value = history.result if history.value is None else history.value
    known = puts | history.has_result
    numbers = np.where(puts, value, history.result).tolist()
    return puts.tolist(), [n if k else None for n, k in zip(numbers, known.tolist(), strict=True)]


def _fifo(history: History) -> Specification:
    """The state is what is in the queue, the oldest first. An unknown dequeue takes the oldest."""
    puts, numbers = _numbers(history)
    unknown = (history.status == INFO).tolist()

    def step(state: tuple[int, ...], cost: int, row: int) -> Any:
        number = numbers[row]
        if puts[row]:
            return (*state, number), cost
        if unknown[row]:
            return (state[1:], cost) if state else REFUSED
        if number is None:
            return REFUSED if state else (state, cost)
        return (state[1:], cost) if state and state[0] == number else REFUSED

    def request(row: int) -> Hashable:
        return puts[row], unknown[row] and not puts[row], numbers[row]

    reads = history.is_op("dequeue") & (history.status == OK) & ~history.has_result
    return Specification(initial=(), step=step, reads=reads, request=request)


def _bag(history: History, rows: Integers, deadline: Deadline) -> Outcome:
    """The state is what is in the queue, sorted; the cost is how many unknown dequeues have been needed.

    What an unknown dequeue takes away matters only to a dequeue that finds nothing, and may as well be taken just
    before it: all that is in the queue then, each by another one. As many must have started when that dequeue ended,
    and when anything ended that comes after it.
    """
    puts, numbers = _numbers(history)
    lost = (history.status == INFO) & history.is_op("dequeue")
    begun = np.zeros(len(history), np.int64)
    begun[rows] = np.searchsorted(np.sort(history.start[rows[lost[rows]]]), history.end[rows], "right")
    most = begun.tolist()

    def step(state: tuple[int, ...], cost: int, row: int) -> Any:
        number = numbers[row]
        if cost > most[row]:
            return REFUSED
        if number is None:
            return ((), cost + len(state)) if cost + len(state) <= most[row] else REFUSED
        left = list(state)
        if puts[row]:
            insort(left, number)
        elif number in left:
            left.remove(number)
        else:
            return REFUSED
        return tuple(left), cost

    bag = Specification(
        initial=(),
        step=step,
        reads=np.zeros(len(history), np.bool_),
        request=lambda row: (puts[row], numbers[row]),
        cheaper=lambda one, other: one <= other,
    )
    return search(history, rows[~lost[rows]], bag, deadline=deadline)
