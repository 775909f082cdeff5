"""Flask-Caching's MemcachedCache: `get`, on a miss compute and `set`; `delete` after an update.

People believe a shared backend is enough; it has the race that Facebook's paper on memcached calls a stale set.
"""

from flask import current_app
from flask_caching import Cache

from webapp import stores
from webapp.cache import truth
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
            "CACHE_DEFAULT_TIMEOUT": 300,
        },
    )
    return memcached_cache


def write(key: str, value: int) -> int:
    truth.update(key, value)
    cache().delete(key)
    return value


def read(key: str, window: Window) -> truth.Answer:
    value = cache().get(key)
    if value is None:
        value = truth.compute(key, window)
        cache().set(key, value)
    return truth.answer(value)
