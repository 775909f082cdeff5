"""Histories of a growing set as columns, for the bench: valid ones, and one defect in the middle."""

from dataclasses import replace

import numpy as np

from statelab.coding import Lists
from statelab.columns import INF
from statelab.columns import INFO
from statelab.columns import OK
from statelab.columns import History

CLIENTS = 10


def history(n: int, rng: np.random.Generator, *, reads: int = 0) -> History:
    """Ten clients add the numbers 0, 1, ... and ask for some of them; 1 % of the operations got no answer.

    `reads` of the operations, evenly spread, read the whole set instead; all their lists together have about
    `reads * n / 4` elements.
    """
    moment = np.arange(n, dtype=np.int64) * 1000
    op = rng.integers(0, 2, n).astype(np.int32)
    op[np.linspace(0, n - 1, reads + 2, dtype=np.int64)[1:-1]] = 2
    added = np.cumsum(op == 0)
    value = np.where(op == 0, added - 1, (rng.random(n) * added).astype(np.int64))
    later = (op == 1) & (rng.random(n) < 0.5)  # asks for what nobody has added yet, and is told no
    value[later] = added[later] + rng.integers(20, 1000, n)[later]
    status = np.where((rng.random(n) < 0.01) & (op == 0), INFO, OK).astype(np.int8)
    nothing = np.zeros(n, np.int32)
    return History(
        process=(np.arange(n) % CLIENTS).astype(np.int32),
        op=op,
        key=nothing,
        result=np.zeros(n, np.int64),
        has_result=np.zeros(n, np.bool_),
        start=moment - rng.integers(0, 4500, n),
        end=np.where(status == INFO, INF, moment + rng.integers(0, 4500, n)),
        status=status,
        served_by=nothing,
        error=nothing,
        op_id=nothing,
        timed_out=np.zeros(n, np.bool_),
        processes=tuple(range(CLIENTS)),
        ops=("add", "contains", "elements"),
        keys=("",),
        servers=(None,),
        errors=(None,),
        op_ids=(None,),
        value=value,
        has_value=op != 2,
        answer=np.where(op == 1, ~later, -1).astype(np.int8),
        elements=_lists(op == 2, added, rng) if reads else None,
    )


def _lists(read: np.ndarray, added: np.ndarray, rng: np.random.Generator) -> Lists:
    length = np.where(read, added, 0)
    numbers = [rng.permutation(size) for size in length[read].tolist()]
    return Lists(np.concatenate(([0], np.cumsum(length))), np.concatenate(numbers), read)


def spoil(history: History) -> History:
    """One contains in the middle is told that an element is missing that had been acknowledged long before."""
    row = len(history) // 2 + int(np.argmax(history.op[len(history) // 2 :] == 1))
    known = int(np.argmax((history.op == 0) & (history.status == OK)))
    assert history.value is not None
    assert history.answer is not None
    value, answer = history.value.copy(), history.answer.copy()
    value[row], answer[row] = value[known], 0
    return replace(history, value=value, answer=answer)
