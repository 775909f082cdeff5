"""A counter shared by all requests: each increment adds one and answers the new value."""

from typing import Protocol

from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class Counter(Protocol):
    """What a mechanism's module has. There is no default: each module has its own update."""

    CLAIMS: Claims

    def increment(self, key: str, window: Window) -> int:
        """Adds one to the counter `key` (0 at first) and returns the new value."""

    def read(self, key: str) -> int:
        """The counter's value; 0 if nothing was counted."""


COUNTER = Workload(
    name="counter",
    promise="every acknowledged increment counts once, and no two are told the same number",
    operations={"increment": False, "read": True},
    table={
        # request and context
        "flask-g": "flask_g",
        "context-var": "context_var",
        "thread-local": "thread_local",
        # process
        "module-global": "module_global",
        "module-global-lock": "module_global_lock",
        "lru-cache": "lru_cache",
        "flask-caching-simple": "flask_caching_simple",
        "cachelib-inc-simple": "cachelib_inc_simple",
        # host
        "mp-value": "mp_value",
        "mp-manager": "mp_manager",
        "mp-manager-lock": "mp_manager_lock",
        "shared-memory": "shared_memory",
        "file": "file",
        "file-flock": "file_flock",
        "sqlite-read-write": "sqlite_read_write",
        "sqlite-update": "sqlite_update",
        "sqlite-immediate": "sqlite_immediate",
        "diskcache": "diskcache",
        "flask-caching-filesystem": "flask_caching_filesystem",
        "cachelib-inc-filesystem": "cachelib_inc_filesystem",
        "gunicorn-stash": "gunicorn_stash",
        "gunicorn-dirty-actor": "gunicorn_dirty_actor",
        "uwsgi-cache": "uwsgi_cache",
        "uwsgi-cache-inc": "uwsgi_cache_inc",
        "uwsgi-sharedarea": "uwsgi_sharedarea",
        "uwsgi-sharedarea-wlock": "uwsgi_sharedarea_wlock",
        # cluster
        "redis-get-set": "redis_get_set",
        "redis-incr": "redis_incr",
        "redis-incr-get": "redis_incr_get",
        "redis-watch": "redis_watch",
        "redis-lua": "redis_lua",
        "redis-lock": "redis_lock",
        "memcached-get-set": "memcached_get_set",
        "memcached-incr": "memcached_incr",
        "memcached-cas": "memcached_cas",
        "flask-caching-redis": "flask_caching_redis",
        "flask-caching-memcached": "flask_caching_memcached",
        "cachelib-inc-redis": "cachelib_inc_redis",
        "cachelib-inc-memcached": "cachelib_inc_memcached",
        "postgres-read-write": "postgres_read_write",
        "postgres-update": "postgres_update",
        "postgres-for-update": "postgres_for_update",
        "postgres-repeatable-read": "postgres_repeatable_read",
    },
)
