"""`threading.local`: one value for each thread, or for each greenlet once gevent has patched it.

People take it for request-local; a thread that serves the next request still has the old value, and where gevent
patches too late, or not at all, all greenlets are one thread.
"""

import threading

from webapp.claims import NOTHING, THREAD, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=THREAD, atomic_across=NOTHING, survives="request", unpatched=frozenset({"greenlets"}))

_local = threading.local()


def echo(key: str, window: Window, value: str) -> str:
    setattr(_local, key, value)
    window()
    stored: str = getattr(_local, key)
    return stored


def find(key: str, value: str) -> str:
    found: str = getattr(_local, key, value)
    return found
