"""Flask-Caching in Valkey: `CACHE_TYPE = "cachelib.ValkeyCache"`, which Flask-Caching takes from cachelib as it is.

People take the shared backend for the cure; a miss that read before the update sets the old value after the `delete`,
for everybody.
"""

from importlib.util import find_spec

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


def unavailable() -> str | None:
    return None if find_spec("valkey") else "the package valkey is not installed here"


@stores.per_process
def cache() -> Cache:
    """Registered at first use, not in the factory, so that each process has a client of its own."""
    from valkey import Valkey

    url = (SETTINGS.redis or "").replace("redis://", "valkey://")
    valkey_cache = Cache(with_jinja2_ext=False)
    valkey_cache.init_app(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        config={
            "CACHE_TYPE": "cachelib.ValkeyCache",
            "CACHE_ARGS": [Valkey.from_url(url, socket_timeout=stores.TIMEOUT)],
            "CACHE_DEFAULT_TIMEOUT": 300,
        },
    )
    return valkey_cache


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
