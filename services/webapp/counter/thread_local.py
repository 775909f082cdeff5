"""`threading.local`: a counter for each thread (each greenlet once gevent has patched it).

People take it for request-local; a thread that serves the next request still has the old value.
"""

import threading

from webapp.claims import NOTHING, THREAD, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=THREAD, atomic_across=NOTHING, survives="request", unpatched=frozenset({"greenlets"}))

_local = threading.local()


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    setattr(_local, key, value + 1)
    return value + 1


def read(key: str) -> int:
    value: int = getattr(_local, key, 0)
    return value
