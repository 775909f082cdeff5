"""The bounded search for the keys of a lock that holds alone do not decide (see mutex.py and search.py)."""

from collections.abc import Hashable
from typing import Any

import numpy as np

from statelab.check.kernels.model import Deadline
from statelab.check.kernels.search import REFUSED
from statelab.check.kernels.search import Outcome
from statelab.check.kernels.search import Specification
from statelab.check.kernels.search import search
from statelab.check.models.mutex.holds import holds
from statelab.record.columns import FAIL
from statelab.record.columns import History


def searched(history: History, deadline: Deadline) -> Outcome:
    """The search over a history of one key.

    The lock is free (None) or held by a client since it asked for it. Releases without an answer do the same if their
    client asked for nothing between them.
    """
    acquire, client = history.is_op("acquire"), history.process.tolist()
    start, takes = history.start.tolist(), acquire.tolist()
    alike = _asked_before(history)

    def step(hold: tuple[int, int] | None, row: int) -> Any:
        if takes[row]:
            return (client[row], start[row]) if hold is None else REFUSED
        return None if hold is not None and hold[0] == client[row] and hold[1] <= start[row] else REFUSED

    def request(row: int) -> Hashable:
        return (client[row],) if takes[row] else (client[row], alike[row])

    nothing = np.zeros(len(history), np.bool_)
    what = Specification(initial=None, step=step, reads=nothing, request=request)
    return search(history, np.flatnonzero(history.status != FAIL), what, deadline=deadline)


def _asked_before(history: History) -> list[int]:
    """For each row how many acquires of its client started no later."""
    found = holds(history)
    count = np.zeros(len(history), np.int64)
    by_start = np.lexsort((~found.acquire, found.start, found.client))
    rank = np.cumsum(found.acquire[by_start])
    count[found.row[by_start]] = (
        rank - (rank - found.acquire[by_start])[np.searchsorted(found.client[by_start], found.client[by_start], "left")]
    )
    return count.tolist()
