"""Large histories of a blind counter, as columns: a fifth are reads, and one in the middle shows too little."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, counted
from statelab.record.columns import History


def history(n: int, rng: np.random.Generator) -> History:
    made, read, count = counted(n, rng, reads=0.2)
    shown = read & ~made.silent
    return columns(
        made, ("increment", "read"), op=read.astype(np.int32), result=np.where(shown, count, 0), has_result=shown
    )


def spoil(given: History) -> History:
    """The read in the middle shows one less than a read that had ended before it started."""
    reads = np.flatnonzero(given.has_result)
    row = reads[len(reads) // 2]
    result = given.result.copy()
    result[row] = given.result[reads[given.end[reads] < given.start[row]]].max() - 1
    return replace(given, result=result)
