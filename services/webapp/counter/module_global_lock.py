"""A module-level variable, and a `threading.Lock` around read and write.

People believe that the lock is enough; it excludes threads and greenlets of its process, and each process has its own.
"""

import threading
from collections import defaultdict

from webapp.claims import PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", blocks_unpatched=True)

counters: defaultdict[str, int] = defaultdict(int)
lock = threading.Lock()


def increment(key: str, window: Window) -> int:
    with lock:
        value = counters[key]
        window()
        counters[key] = value + 1
        return value + 1


def read(key: str) -> int:
    return counters[key]
