"""Clients of the stores: one per process, opened after fork, with retries off so that one request is one effect."""

import functools
import importlib
import os
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import connection
from multiprocessing.managers import AcquirerProxy, BaseManager, DictProxy  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, TypeVar

from webapp.absent import tried
from webapp.settings import SETTINGS

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool
    from pymemcache.client.base import PooledClient
    from redis import Redis

TIMEOUT = 1.5
"""Seconds to wait for a store: less than the clients wait for the app, so that the answer can name the store."""

TRIES = 1000
"""How often an update is tried again after another one came first, before it is refused."""

LIBRARIES = {"redis": "redis", "memcached": "pymemcache", "postgres": "psycopg_pool"}

absent: dict[str, str] = {}
"""The stores whose client cannot be installed for this interpreter, each with the reason."""

T = TypeVar("T")


def import_libraries() -> None:
    """Imports the clients of the configured stores at the start: it takes up to a second, too long for a request."""
    for store, library in LIBRARIES.items():
        if getattr(SETTINGS, store):
            tried(partial(importlib.import_module, library), partial(absent.setdefault, store))


_generation = 0
"""How many forks lie between this process and the first one. A pid cannot identify a process here, because a pid may be
used again by a descendant, which would then use an inherited client."""


def _new_process() -> None:
    global _generation
    _generation += 1


os.register_at_fork(after_in_child=_new_process)


def per_process(open_client: Callable[[], T]) -> Callable[[], T]:
    """Calls `open_client` once in each process, at the first use, because sockets must not cross a fork. The lock must
    not cross a fork either. It must not be made before gevent patches: waiting for it would then stop the greenlet that
    opens the client."""
    locks: dict[int, threading.Lock] = {}
    clients: dict[int, T] = {}

    @functools.wraps(open_client)
    def client() -> T:
        mine = _generation
        if mine not in clients:
            with locks.setdefault(mine, threading.Lock()):
                if mine not in clients:
                    clients.clear()
                    clients[mine] = open_client()
        return clients[mine]

    return client


def redis_options() -> dict[str, Any]:
    """No retries: a client of redis-py 8 made by `Redis(...)` sends a command again up to ten times, INCR included; one
    made by `from_url` does not, but its docs do not promise that."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {"retry": Retry(NoBackoff(), 0), "socket_timeout": TIMEOUT, "socket_connect_timeout": TIMEOUT}


@per_process
def redis() -> "Redis":
    from redis import Redis

    assert SETTINGS.redis
    return Redis.from_url(SETTINGS.redis, **redis_options())


class IntegerSerde:
    """Stores integers as text, as memcached's own `incr` does, and never unpickles."""

    def serialize(self, key: str, value: object) -> tuple[str, int]:
        return str(value), 0

    def deserialize(self, key: str, value: bytes, flags: int) -> int:
        return int(value)


def memcached_options() -> dict[str, Any]:
    """Waits for replies. By default pymemcache does not wait, and reports success before anything has happened."""
    return {
        "serde": IntegerSerde(),
        "default_noreply": False,
        "no_delay": True,
        "connect_timeout": TIMEOUT,
        "timeout": TIMEOUT,
    }


def memcached_pool() -> "PooledClient":
    """A pooled client: pymemcache's plain `Client` is one socket, not to be shared by threads."""
    from pymemcache.client.base import PooledClient

    assert SETTINGS.memcached
    return PooledClient(SETTINGS.memcached, **memcached_options())


def postgres_pool(min_size: int = 0, **options: str) -> "ConnectionPool[Any]":
    """Stops reconnecting as soon as a request gives up. Otherwise the pool waits longer each time, and notices only
    minutes later that the store is back."""
    from psycopg_pool import ConnectionPool

    assert SETTINGS.postgres
    return ConnectionPool(
        SETTINGS.postgres,
        min_size=min_size,
        max_size=8,
        max_idle=30,
        timeout=TIMEOUT,
        reconnect_timeout=TIMEOUT,
        kwargs={"connect_timeout": 2, **options},  # the least that libpq allows
        open=True,
    )


memcached = per_process(memcached_pool)
postgres = per_process(postgres_pool)


class _Manager(BaseManager):
    """The client side of `manager_process.Manager`."""


_Manager.register("values", proxytype=DictProxy)
_Manager.register("lock", proxytype=AcquirerProxy)


def _open_blocking_socket(address: str, open_socket: Any = connection.SocketClient) -> Any:  # type: ignore[attr-defined]
    """A blocking socket for `multiprocessing`, which reads with `os.read`; that call fails on gevent's sockets."""
    opened = open_socket(address)
    os.set_blocking(opened.fileno(), True)
    return opened


class ManagerClient:
    """The manager process's dict, and its locks by name."""

    def __init__(self) -> None:
        connection.SocketClient = _open_blocking_socket  # type: ignore[attr-defined]
        self._manager = _Manager(address=SETTINGS.manager_address, authkey=SETTINGS.manager_key)
        self._manager.connect()
        self._locks: dict[str, AcquirerProxy] = {}
        self.values: DictProxy[str, int] = self._manager.values()  # type: ignore[attr-defined]

    def lock(self, name: str) -> AcquirerProxy:
        if name not in self._locks:
            self._locks[name] = self._manager.lock(name)  # type: ignore[attr-defined]
        return self._locks[name]


manager = per_process(ManagerClient)


def without_manager_process() -> str | None:
    """Why this deployment has no manager process."""
    return None if SETTINGS.manager_address else "the manager process is not running here: `serve` starts it"


UWSGI_CACHE = "statelab"
"""The name of the cache that the lab's uWSGI has."""


def uwsgi_place(key: str) -> int:
    """Index of the eight bytes that belong to a key in the SharedArea of the lab's uWSGI; uWSGI's cache keeps it."""
    import uwsgi

    place = f"{key}~place"
    uwsgi.lock(1)  # lock 0 is that of the workload `lock`
    try:
        if not uwsgi.cache_exists(place, UWSGI_CACHE):
            uwsgi.cache_inc("~places", 1, 0, UWSGI_CACHE)
            uwsgi.cache_set(place, str(uwsgi.cache_num("~places", UWSGI_CACHE)).encode(), 0, UWSGI_CACHE)
        return int(uwsgi.cache_get(place, UWSGI_CACHE))
    finally:
        uwsgi.unlock(1)
