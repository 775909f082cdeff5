"""Large histories of requests and the log of their effects, as columns; and the same with one effect twice."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import CLIENTS, columns, requests
from statelab.record.columns import OK, History


def history(n: int, rng: np.random.Generator) -> History:
    """Requests, and an effect of each at its moment, but for half of those that got no answer; n operations in all."""
    made = requests(n, rng)
    ran = ~made.silent | (rng.random(n) < 0.5)
    asked = int(np.searchsorted(np.cumsum(1 + ran), n)) + 1
    if asked + np.count_nonzero(ran[:asked]) > n:
        ran[asked - 1], made.silent[asked - 1] = False, True
    asked_for = columns(made, ("execute", "effect")).take(slice(asked))
    effect = np.flatnonzero(ran[:asked])
    row = np.concatenate([np.arange(asked), effect])
    is_effect = np.arange(len(row)) >= asked
    log = replace(
        asked_for.take(row),
        op=is_effect.astype(np.int32),
        start=np.where(is_effect, made.moment[row], made.start[row]),
        end=np.where(is_effect, made.moment[row], asked_for.end[row]),
        status=np.where(is_effect, OK, asked_for.status[row]).astype(np.int8),
        process=np.where(is_effect, CLIENTS, made.client[row]).astype(np.int32),
        processes=(*range(CLIENTS), "log"),
        op_id=(row + 1).astype(np.int32),
        op_ids=(None, *(f"r{i}" for i in range(asked))),
    )
    return log.take(np.argsort(log.start, kind="stable"))


def spoil(given: History) -> History:
    """The effect in the middle is one of the request of the effect after it."""
    effects = np.flatnonzero(given.op == given.ops.index("effect"))
    middle = len(effects) // 2
    op_id = given.op_id.copy()
    op_id[effects[middle]] = op_id[effects[middle + 1]]
    return replace(given, op_id=op_id)
