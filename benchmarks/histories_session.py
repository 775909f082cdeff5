"""Large histories of versioned sessions, as columns: one store that all agree on, and one read from the past."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.columns import History

READS = 0.7


def history(n: int, rng: np.random.Generator) -> History:
    """Each write makes the next version and is answered with it; each read shows the version of its moment."""
    made = requests(n, rng)
    read = rng.random(n) < READS
    made.silent[read] = False
    by_moment = np.argsort(made.moment)
    version = np.empty(n, np.int64)
    version[by_moment] = np.cumsum(~read[by_moment])
    answered = ~made.silent & (version > 0)
    return columns(
        made,
        ("write", "read"),
        op=read.astype(np.int32),
        result=np.where(answered, version, 0),
        has_result=answered,
    )


def spoil(given: History) -> History:
    """The read in the middle shows a version that is half as old as it should be."""
    reads = np.flatnonzero(given.is_op("read"))
    result = given.result.copy()
    result[reads[len(reads) // 2]] //= 2
    return replace(given, result=result)
