"""Large histories of a blind counter, as columns: a fifth are reads, and one in the middle shows too little."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns
from benchmarks.ten_clients import requests
from statelab.record.columns import History

_READS = 0.2


def history(n: int, rng: np.random.Generator) -> History:
    """Half of the increments that got no answer took effect."""
    made = requests(n, rng)
    read = rng.random(n) < _READS
    effective = ~read & (~made.silent | (rng.random(n) < 0.5))
    by_moment = np.argsort(made.moment)
    count = np.empty(n, np.int64)
    count[by_moment] = np.cumsum(effective[by_moment])
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
