"""A `ContextVar`: a counter for each thread, or for each greenlet under gevent.

People take it for request-local, as it is in asyncio; a WSGI server gives no request a context of its own, so the next
request in the same thread still sees the old value.
"""

from collections.abc import Mapping
from contextvars import ContextVar

from webapp.claims import NOTHING, THREAD, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=THREAD, atomic_across=NOTHING, survives="request", in_context=True)

counters: ContextVar[Mapping[str, int]] = ContextVar("counters")


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    counters.set({**counters.get({}), key: value + 1})
    return value + 1


def read(key: str) -> int:
    return counters.get({}).get(key, 0)
