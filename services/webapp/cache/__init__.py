"""A cache in front of a value that is expensive to compute. It must save work and never show an older value."""

from typing import Protocol

from webapp.arguments import integer
from webapp.cache.truth import Answer
from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class Cache(Protocol):
    """What a mechanism's module has."""

    CLAIMS: Claims

    def write(self, key: str, value: int) -> int:
        """Stores `value`, and makes the cache forget the older one."""

    def read(self, key: str, window: Window) -> Answer:
        """The value, from the cache; a miss computes it, which takes some windows, and fills the cache."""


CACHE = Workload(
    name="cache",
    promise="after an update is acknowledged no read returns the older value, and no value is computed twice at once",
    operations={"write": False, "read": True},
    arguments={"write": {"value": integer(1, 2**53 - 1)}},
    windows=("io",),
    shows={
        "divergent": "stale",
        "lost-update": "stale",  # the update that is lost is the invalidation: a late fill overwrites it
        "computed-at-once": "stampede",
        "stalled": "stalled",
    },
    table={
        # process
        "lru-cache": "lru_cache",
        "flask-caching-simple": "flask_caching_simple",
        # host
        "flask-caching-filesystem": "flask_caching_filesystem",
        # cluster
        "flask-caching-redis": "flask_caching_redis",
        "flask-caching-memcached": "flask_caching_memcached",
        "memcached-cas": "memcached_cas",
        "single-flight": "single_flight",
        "versioned-keys": "versioned_keys",
        "versioned-single-flight": "versioned_single_flight",
    },
)
