"""Connections to stores: each request sends something, does some work, and then reads the reply."""

from typing import Protocol

from webapp.arguments import integer
from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class Connection(Protocol):
    """What a mechanism's module has."""

    CLAIMS: Claims

    def echo(self, key: str, window: Window, value: int) -> int | None:
        """Sends `value` to the store over the mechanism's connection and answers what comes back."""

    def probe(self, key: str, value: int) -> int | None:
        """The same over a new connection, to show that the store is up."""

    def left(self, key: str) -> list[int] | None:
        """How many connections the server has, and how many a process may keep between requests; None if no server
        counts them."""


_SENT = {"value": integer(1, 2**53 - 1)}

CONNECTION = Workload(
    name="connection",
    promise="every reply belongs to the request that asked, no request fails for its connection, and none is left open",
    operations={"echo": False, "probe": True, "left": True},
    arguments={"echo": _SENT, "probe": _SENT},
    windows=("io",),
    shows={
        "seen-by-others": "crossed-replies",
        "fails-when-shared": "broken-connection",
        "left-open": "connections-left",
        "used-up": "broken-connection",
        "stalled": "stalled",
        "queued": "stalled",
    },
    table={
        # one for the process
        "sqlite-global": "sqlite_global",
        "sqlite-global-one-thread": "sqlite_global_one_thread",
        "sqlite-before-fork": "sqlite_before_fork",
        "redis-global": "redis_global",
        "redis-before-fork": "redis_before_fork",
        "memcached-global": "memcached_global",
        "memcached-before-fork": "memcached_before_fork",
        "postgres-global": "postgres_global",
        "postgres-before-fork": "postgres_before_fork",
        # one for each request
        "sqlite-on-g": "sqlite_on_g",
        "postgres-on-g": "postgres_on_g",
        "postgres-on-g-no-teardown": "postgres_on_g_no_teardown",
        "postgres-closed-at-exit": "postgres_closed_at_exit",
        "redis-on-g": "redis_on_g",
        "memcached-on-g": "memcached_on_g",
        # pools
        "sqlite-pool": "sqlite_pool",
        "sqlite-pool-before-fork": "sqlite_pool_before_fork",
        "redis-pool": "redis_pool",
        "redis-pool-before-fork": "redis_pool_before_fork",
        "memcached-pool": "memcached_pool",
        "memcached-pool-before-fork": "memcached_pool_before_fork",
        "postgres-pool": "postgres_pool",
        "postgres-pool-before-fork": "postgres_pool_before_fork",
    },
)
