"""cachelib's `SimpleCache.inc`: get and set under the cache's own lock.

People read in its docs that "for supporting caches this is an atomic operation"; it is, but only in one process.
"""

from cachelib import SimpleCache
from flask import g

from webapp.claims import PROCESS, Claims
from webapp.counter.widened import Widened
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", unpatched=frozenset({"greenlets"}))


class Cache(Widened, SimpleCache):
    """The window between the library's own get and set."""


cache = Cache(threshold=1_000_000, default_timeout=0)


def increment(key: str, window: Window) -> int:
    g.window = window
    value = cache.inc(key)
    assert value is not None
    return value


def read(key: str) -> int:
    return cache.get(key) or 0
