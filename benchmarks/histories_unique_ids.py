"""Large histories of an id generator, as columns: all ids different, and one given twice in the middle."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.columns import History


def history(n: int, rng: np.random.Generator) -> History:
    """Ids in no order: an odd factor turns 0, 1, 2, ... into different 64-bit numbers all over the range."""
    made = requests(n, rng)
    with np.errstate(over="ignore"):
        ids = np.arange(n, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    answered = ~made.silent
    return columns(made, ("new-id",), result=np.where(answered, ids.view(np.int64), 0), has_result=answered)


def spoil(given: History) -> History:
    """The request in the middle is given the id of the first one."""
    first, middle = np.flatnonzero(given.has_result)[[0, int(given.has_result.sum()) // 2]]
    result = given.result.copy()
    result[middle] = result[first]
    return replace(given, result=result)
