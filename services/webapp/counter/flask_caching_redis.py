"""Flask-Caching's RedisCache, `get`, then `set`: the store is shared, the update is two commands.

People believe that a shared backend is enough; it makes all readers see one value, but the last writer still wins.
"""

from flask import current_app
from flask_caching import Cache

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
)


@stores.per_process
def cache() -> Cache:
    """Registered at first use, not in the factory, so that each process has a client of its own."""
    redis_cache = Cache(with_jinja2_ext=False)
    redis_cache.init_app(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        config={
            "CACHE_TYPE": "RedisCache",
            "CACHE_REDIS_URL": SETTINGS.redis,
            "CACHE_OPTIONS": stores.redis_options(),
            "CACHE_DEFAULT_TIMEOUT": 0,
        },
    )
    return redis_cache


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    cache().set(key, value + 1)
    return value + 1


def read(key: str) -> int:
    return cache().get(key) or 0
