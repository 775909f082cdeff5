"""cachelib's `RedisCache.inc`: Redis `INCR`.

People read in its docs that "for supporting caches this is an atomic operation"; this one is atomic, for all processes
and hosts that use the same Redis.
"""

from typing import TYPE_CHECKING

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

if TYPE_CHECKING:
    from cachelib import RedisCache

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")


@stores.per_process
def cache() -> "RedisCache":
    from cachelib import RedisCache

    return RedisCache(stores.redis(), default_timeout=0)


def increment(key: str, window: Window) -> int:
    window()  # its `inc` reads nothing here, so there is no place inside
    value: int = cache().inc(key)
    return value


def read(key: str) -> int:
    return cache().get(key) or 0
