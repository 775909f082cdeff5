"""Large histories of echoes, as columns: each request gets its own value back, and one in the middle another's."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.columns import History


def history(n: int, rng: np.random.Generator) -> History:
    """Every value is sent once."""
    made = requests(n, rng)
    value, answered = rng.permutation(n), ~made.silent
    return columns(
        made,
        ("echo",),
        value=value,
        has_value=np.ones(n, np.bool_),
        result=np.where(answered, value, 0),
        has_result=answered,
    )


def spoil(given: History) -> History:
    """The request in the middle gets back what the one started before it had sent."""
    middle = np.flatnonzero(given.has_result)[int(given.has_result.sum()) // 2]
    assert given.value is not None
    result = given.result.copy()
    result[middle] = given.value[middle - 1]
    return replace(given, result=result)
