"""A dataset of registers of any size, made part by part; a part needs only two values of each key from those before."""

from pathlib import Path

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record import parquet
from statelab.record.columns import Codes, History, Integers, Mask

PART = 1_000_000
CLIENTS, KEYS = 1_000, 100_000
OPS = ("write", "read", "cas")

_BREAK_NS = 10_000_000
"""The time between two parts, in which no request is running."""


def write(folder: Path, operations: int, seed: int = 16) -> int:
    """Writes a valid dataset, always the same for the same arguments; returns its size in bytes.

    A thousand clients use 100,000 keys; the parts follow each other in time. Half of the operations are reads, 3 in 10
    writes, 2 in 10 cas, of which half find what they expect.
    """
    keys = np.array([f"key-{number:05}" for number in range(KEYS)])
    states = np.zeros((2, KEYS), np.int64)  # of each key what it has, and what it had before; 0: nothing
    begin, size = 0, 0
    for number in range(-(-operations // PART)):
        rng = np.random.default_rng((seed, number))
        count = min(PART, operations - number * PART)
        history = _part(count, number * PART, begin, states, rng, tuple(keys.tolist()))
        begin = int(history.end[history.end < np.iinfo(np.int64).max].max()) + _BREAK_NS
        path = folder / f"part-{number:05}.parquet"
        parquet.write(history, path)
        size += path.stat().st_size
    return size


def _part(
    n: int, before: int, begin: int, states: Integers, rng: np.random.Generator, keys: tuple[str, ...]
) -> History:
    """n operations that start at `begin`; row i writes the value `before` + i + 1. `states` is changed to what the keys
    have at the end of the part.

    A request without an answer took effect within the part, or never.
    """
    made = requests(n, rng, CLIENTS, begin)
    key = rng.integers(0, KEYS, n, dtype=np.int32)
    op = rng.choice(3, n, p=(0.3, 0.5, 0.2)).astype(np.int32)
    found = (op == 2) & (rng.random(n) < 0.5)
    changes = ((op == 0) | found) & (~made.silent | (rng.random(n) < 0.5))
    value = np.arange(before + 1, before + n + 1)
    state, former = _states(key, made.moment, changes, value, states)
    ok = ~made.silent
    expected = np.where(found, state, np.where(former == state, value, former))  # a miss expects another value
    return columns(
        made,
        OPS,
        op=op,
        key=key,
        keys=keys,
        processes=tuple(range(CLIENTS)),
        result=np.where((op == 1) & ok, state, 0),
        has_result=(op == 1) & ok & (state > 0),
        value=np.where(op == 1, 0, value),
        has_value=op != 1,
        expected=np.where(op == 2, expected, 0),
        has_expected=(op == 2) & (expected > 0),
        answer=np.where((op == 2) & ok, found, -1).astype(np.int8),
    )


def _states(
    key: Codes, moment: Integers, changes: Mask, value: Integers, states: Integers
) -> tuple[Integers, Integers]:
    """What each row finds under its key, and what was there before that.

    Two changes of each key before all others stand for what it had when the part began.
    """
    given = np.concatenate([np.tile(np.arange(KEYS, dtype=np.int32), 2), key])
    order = np.lexsort((np.concatenate([np.repeat([-2, -1], KEYS), moment]), given))
    changed = np.concatenate([np.ones(2 * KEYS, np.bool_), changes])[order]
    values = np.concatenate([states[1], states[0], value])[order][changed]
    last = np.cumsum(changed) - changed - 1  # the last change before a row
    found, former = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    found[order], former[order] = values[last], values[last - 1]
    ends = np.searchsorted(given[order][changed], np.arange(KEYS), "right")
    states[0], states[1] = values[ends - 1], values[ends - 2]
    return found[2 * KEYS :], former[2 * KEYS :]
