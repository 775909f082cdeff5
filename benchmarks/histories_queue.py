"""Large histories of a queue, as columns: ten clients put in and take out in turns, and one element comes twice."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.columns import History


def history(n: int, rng: np.random.Generator) -> History:
    """In the order of their effects every second request takes what was put in a hundred elements before.

    Requests that got no answer took effect all the same.
    """
    made = requests(n, rng)
    turn = np.empty(n, np.int64)
    turn[np.argsort(made.moment, kind="stable")] = np.arange(n)
    takes = (turn % 2 == 1) & (turn >= 200)
    op = np.where(turn % 2 == 0, 0, np.where(takes, 1, 0)).astype(np.int32)
    order = np.argsort(turn[op == 0], kind="stable")
    number = np.zeros(n, np.int64)
    rows = np.flatnonzero(op == 0)[order]
    number[rows] = np.arange(len(rows))
    rows = np.flatnonzero(op == 1)
    number[rows[np.argsort(turn[rows], kind="stable")]] = np.arange(len(rows))
    got = takes & ~made.silent
    return columns(
        made,
        ("enqueue", "dequeue"),
        op=op,
        value=np.where(op == 0, number, 0),
        has_value=op == 0,
        result=np.where(got, number, 0),
        has_result=got,
    )


def spoil(given: History) -> History:
    """The dequeue in the middle gets what the one before it got."""
    rows = np.flatnonzero(given.has_result)
    result = given.result.copy()
    middle = len(rows) // 2
    result[rows[middle]] = result[rows[middle - 1]]
    return replace(given, result=result)
