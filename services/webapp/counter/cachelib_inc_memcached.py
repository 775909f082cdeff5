"""cachelib's `MemcachedCache.inc`: get, then set, although memcached has `incr`.

People read in its docs that "for supporting caches this is an atomic operation"; this cache does not support it, and
the call does not say so.
"""

from typing import TYPE_CHECKING

from flask import g

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.counter.widened import Widened
from webapp.settings import SETTINGS
from webapp.window import Window

if TYPE_CHECKING:
    from cachelib import MemcachedCache

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="memcached",
)


@stores.per_process
def cache() -> "MemcachedCache":
    from cachelib import MemcachedCache
    from pymemcache.client.base import PooledClient

    class Client(Widened, PooledClient):  # type: ignore[misc]
        """The window between the library's own get and set: this `inc` reads with the client, not the cache."""

    assert SETTINGS.memcached
    return MemcachedCache(Client(SETTINGS.memcached, **stores.memcached_options()), default_timeout=0)


def increment(key: str, window: Window) -> int:
    g.window = window
    value = cache().inc(key)
    assert value is not None
    return value


def read(key: str) -> int:
    return cache().get(key) or 0
