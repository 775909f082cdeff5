"""Clients of the stores: one per process, opened after fork, with retries off so that one request is one effect."""

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING
from typing import Any
from typing import TypeVar

from webapp.settings import SETTINGS

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool
    from pymemcache import PooledClient
    from redis import Redis

TIMEOUT = 5.0
"""Seconds to wait for a store before the outcome counts as unknown."""

T = TypeVar("T")


def per_process(open_client: Callable[[], T]) -> Callable[[], T]:
    """Calls `open_client` once in each process, at the first use there: sockets must not cross a fork."""
    lock = threading.Lock()
    clients: dict[int, T] = {}

    def client() -> T:
        pid = os.getpid()
        if pid not in clients:
            with lock:
                if pid not in clients:
                    clients.clear()
                    clients[pid] = open_client()
        return clients[pid]

    return client


@per_process
def redis() -> "Redis":
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    assert SETTINGS.redis
    # redis-py 8 sends a command again up to ten times unless told otherwise, INCR included
    return Redis.from_url(
        SETTINGS.redis, retry=Retry(NoBackoff(), 0), socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT
    )


class IntegerSerde:
    """Stores integers as text, as memcached's own `incr` does, and never unpickles."""

    def serialize(self, key: str, value: object) -> tuple[str, int]:
        return str(value), 0

    def deserialize(self, key: str, value: bytes, flags: int) -> int:
        return int(value)


def open_memcached() -> "PooledClient":
    """A pooled client: pymemcache's plain `Client` is one socket, not to be shared by threads."""
    from pymemcache import PooledClient

    # its stores do not wait for a reply by default and then report success before anything happened
    return PooledClient(
        SETTINGS.memcached,
        serde=IntegerSerde(),
        default_noreply=False,
        no_delay=True,
        connect_timeout=TIMEOUT,
        timeout=TIMEOUT,
    )


memcached = per_process(open_memcached)


@per_process
def postgres() -> "ConnectionPool[Any]":
    from psycopg_pool import ConnectionPool

    assert SETTINGS.postgres
    return ConnectionPool(SETTINGS.postgres, min_size=0, max_size=16, timeout=TIMEOUT, open=True)
