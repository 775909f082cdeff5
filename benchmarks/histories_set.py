"""Large histories of a set that only grows, as columns; and one contains in the middle that misses an element."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.coding import Lists
from statelab.record.columns import OK, History, Integers, Mask

OPS = ("add", "contains", "elements")


def history(n: int, rng: np.random.Generator, *, reads: int = 0) -> History:
    """Adds of the numbers 0, 1, ... and questions for old ones and for some that are to come, half of each.

    `reads` of the operations, evenly spread, list the whole set; all their lists together have about `reads * n / 4`
    elements. All of the unanswered adds took effect.
    """
    made = requests(n, rng)
    op = rng.integers(0, 2, n).astype(np.int32)
    op[np.linspace(0, n - 1, reads + 2, dtype=np.int64)[1:-1]] = 2
    by_moment = np.argsort(made.moment)
    added = np.empty(n, np.int64)
    added[by_moment] = np.cumsum(op[by_moment] == 0)
    later = (op == 1) & (rng.random(n) < 0.5)
    asked = np.where(later, added + rng.integers(0, 1000, n), (rng.random(n) * added).astype(np.int64))
    answered = (op == 1) & ~made.silent
    return columns(
        made,
        OPS,
        op=op,
        value=np.where(op == 0, added - 1, asked),
        has_value=op != 2,
        answer=np.where(answered, asked < added, -1).astype(np.int8),
        elements=_lists((op == 2) & ~made.silent, added, rng) if reads else None,
    )


def _lists(read: Mask, added: Integers, rng: np.random.Generator) -> Lists:
    length = np.where(read, added, 0)
    numbers = [rng.permutation(size) for size in length[read].tolist()]
    return Lists(np.concatenate(([0], np.cumsum(length))), np.concatenate(numbers), read)


def spoil(given: History) -> History:
    """The contains in the middle does not find an element that was acknowledged long before."""
    assert given.value is not None
    assert given.answer is not None
    asked = np.flatnonzero(given.answer >= 0)
    row = asked[len(asked) // 2]
    known = int(np.argmax((given.op == 0) & (given.status == OK)))
    value, answer = given.value.copy(), given.answer.copy()
    value[row], answer[row] = value[known], 0
    return replace(given, value=value, answer=answer)
