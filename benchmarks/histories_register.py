"""Large histories of one register, as columns: writes, reads, cas that find what they expect and cas that do not."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.columns import OK, History, Integers, Mask

OPS = ("write", "read", "cas")


def history(n: int, rng: np.random.Generator) -> History:
    """Half of the operations are reads, 3 in 10 writes, 2 in 10 cas, all values written are different.

    Half of the cas expect the value of their moment, the others the one before it; of those half say what they saw.
    Half of the unanswered requests took effect.
    """
    made = requests(n, rng)
    op = rng.choice(3, n, p=(0.3, 0.5, 0.2)).astype(np.int32)
    found = (op == 2) & (rng.random(n) < 0.5)
    changes = ((op == 0) | found) & (~made.silent | (rng.random(n) < 0.5))
    state, before = _states(changes, np.argsort(made.moment))
    ok, refused = ~made.silent, (op == 2) & ~found & ~made.silent
    expected = np.where(found, state, before)
    told = refused & (rng.random(n) < 0.5)
    return columns(
        made,
        OPS,
        op=op,
        result=np.where((op == 1) & ok, state, 0),
        has_result=(op == 1) & ok & (state > 0),
        value=np.where(op == 1, 0, np.arange(1, n + 1)),
        has_value=op != 1,
        expected=np.where(op == 2, expected, 0),
        has_expected=(op == 2) & (expected > 0),
        seen=np.where(told, state, 0),
        has_seen=told & (state > 0),
        answer=np.where((op == 2) & ok, found, -1).astype(np.int8),
    )


def _states(changes: Mask, by_moment: Integers) -> tuple[Integers, Integers]:
    """The value that each row finds, and the one before that (-1 where there was none); row i writes i + 1, 0 is
    nothing."""
    changed = changes[by_moment]
    values = np.concatenate(([-1, 0], by_moment[changed] + 1))
    done: Integers = np.cumsum(changed) - changed
    state, before = np.empty_like(by_moment), np.empty_like(by_moment)
    state[by_moment], before[by_moment] = values[done + 1], values[done]
    return state, before


def spoil(given: History) -> History:
    """The read in the middle shows the value that was read a thousand operations before."""
    assert given.result is not None
    reads = np.flatnonzero((given.op == 1) & (given.status == OK) & given.has_result)
    row = reads[len(reads) // 2]
    result = given.result.copy()
    result[row] = given.result[reads[np.searchsorted(reads, row - 1_000)]]
    return replace(given, result=result)
