"""Large histories of a counter that answers, as columns: a tenth are reads, and two in the middle are told the same."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, counted
from statelab.record.columns import History


def history(n: int, rng: np.random.Generator) -> History:
    made, read, count = counted(n, rng, reads=0.1)
    told = ~made.silent
    return columns(
        made, ("increment", "read"), op=read.astype(np.int32), result=np.where(told, count, 0), has_result=told
    )


def spoil(given: History) -> History:
    """An increment in the middle is told the number of another one."""
    increments = np.flatnonzero(given.has_result & given.is_op("increment"))
    middle = len(increments) // 2
    result = given.result.copy()
    result[increments[middle]] = result[increments[middle - 1]]
    return replace(given, result=result)
