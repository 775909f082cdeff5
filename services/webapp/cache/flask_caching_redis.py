"""Flask-Caching's RedisCache: `get`, on a miss compute and `set`; `delete` after an update.

People believe a shared backend is enough; a miss that read before the update sets the old value after the `delete`,
for everybody.
"""

from flask import current_app
from flask_caching import Cache

from webapp import stores
from webapp.cache import truth
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
            "CACHE_DEFAULT_TIMEOUT": 300,
        },
    )
    return redis_cache


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
