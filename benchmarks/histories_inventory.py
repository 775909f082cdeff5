"""Large histories of a stock, as columns: a thousand are sold, all others come too late, and one of them gets one."""

from dataclasses import replace

import numpy as np

from benchmarks.ten_clients import columns, requests
from statelab.record.columns import History

INITIAL = 1_000


def history(n: int, rng: np.random.Generator) -> History:
    """Half of the buys that got no answer bought one, while there were any."""
    made = requests(n, rng)
    trying = ~made.silent | (rng.random(n) < 0.5)
    by_moment = np.argsort(made.moment)
    bought = np.empty(n, np.bool_)
    bought[by_moment] = np.cumsum(trying[by_moment]) <= INITIAL
    answer = np.where(made.silent, -1, bought).astype(np.int8)
    return columns(made, ("buy",), answer=answer, answers=("sold-out", "ok"))


def spoil(given: History) -> History:
    """The buy in the middle, long after the last one was sold, is told ok."""
    assert given.answer is not None
    answer = given.answer.copy()
    refused = np.flatnonzero(answer == 0)
    answer[refused[len(refused) // 2]] = 1
    return replace(given, answer=answer)
