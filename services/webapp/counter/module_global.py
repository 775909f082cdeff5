"""A module-level variable, the first thing everybody tries: `counters[key] += 1`.

People believe that the whole app shares it; each process has its own, and of two updates at once one may be lost.
"""

from collections import defaultdict

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

counters: defaultdict[str, int] = defaultdict(int)


def increment(key: str, window: Window) -> int:
    if window.tight:
        counters[key] += 1
        return counters[key]
    value = counters[key]
    window()
    counters[key] = value + 1
    return value + 1


def read(key: str) -> int:
    return counters[key]
