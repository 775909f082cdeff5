"""Flask-Caching's MemcachedCache, `get`, then `set`: the store is shared, the update is two commands.

People believe that a shared backend is enough; it makes all readers see one value, but the last writer still wins.
"""

from flask import current_app
from flask_caching import Cache

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="memcached",
)


@stores.per_process
def cache() -> Cache:
    memcached_cache = Cache(with_jinja2_ext=False)
    memcached_cache.init_app(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        config={
            "CACHE_TYPE": "MemcachedCache",
            "CACHE_MEMCACHED_SERVERS": stores.memcached(),  # of addresses it would make a client, but not pymemcache's
            "CACHE_DEFAULT_TIMEOUT": 0,
        },
    )
    return memcached_cache


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    cache().set(key, value + 1)
    return value + 1


def read(key: str) -> int:
    return cache().get(key) or 0
