"""Large histories of a lock, as columns: ten clients take turns in no order, and one of them once gets it too early."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import CLIENTS, UNANSWERED, Requests, columns
from statelab.record.columns import INF, OK, Codes, History, Integers


def history(n: int, rng: np.random.Generator) -> History:
    """Each client asks again soon after it released. Requests that got no answer took effect all the same."""
    turns = n // 2 + 1
    holder = rng.integers(0, CLIENTS, turns).astype(np.int32)
    got = np.cumsum(rng.integers(60_000, 200_000, turns))
    gave = got + rng.integers(20_000, 50_000, turns)
    released = gave + rng.integers(1_000, 8_000, turns)
    asked = _after_the_turn_before(holder, released) + rng.integers(1_000, 20_000, turns)
    start = np.stack((np.minimum(asked, got - 2_000), gave - rng.integers(1_000, 8_000, turns)), axis=1)
    end = np.stack((got + 5_000, released), axis=1)
    silent = rng.random((turns, 2)) < UNANSWERED
    order = np.argsort(start.ravel()[:n])
    made = Requests(
        start.ravel()[order],
        end.ravel()[order],
        start.ravel()[order],
        np.repeat(holder, 2)[order],
        silent.ravel()[order],
    )
    return columns(made, ("acquire", "release"), op=(order % 2).astype(np.int32))


def _after_the_turn_before(holder: Codes, released: Integers) -> Integers:
    """For each turn when its client had released the lock before."""
    before = np.zeros(len(holder), np.int64)
    for client in range(CLIENTS):
        turns = np.flatnonzero(holder == client)
        before[turns[1:]] = released[turns[:-1]]
    return before


def spoil(given: History) -> History:
    """The acquire in the middle is answered before the holder before has asked to release."""
    end = given.end.copy()
    acquires = np.flatnonzero(given.is_op("acquire") & (given.status == OK))
    row = int(acquires[len(acquires) // 2])
    before = given.is_op("acquire") & (given.end < given.end[row]) & (given.status == OK)
    end[row] = int(given.end[before].max()) + 1
    return replace(given, end=np.where(given.end == INF, INF, end))
