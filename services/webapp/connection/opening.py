"""How a connection to each store is opened, as its documentation has it."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from webapp import stores
from webapp.connection.conversation import POSTGRES
from webapp.connection.conversation import SQLITE
from webapp.connection.conversation import over_memcached
from webapp.connection.conversation import over_postgres
from webapp.connection.conversation import over_redis
from webapp.connection.conversation import over_sqlite
from webapp.errors import StoreDown
from webapp.settings import SETTINGS
from webapp.window import WINDOWS

if TYPE_CHECKING:
    from psycopg import Connection as PostgresConnection
    from pymemcache.client.base import Client
    from redis import ConnectionPool
    from redis.connection import ConnectionInterface

AT_ONCE = WINDOWS["tight"]


def redis_pool() -> "ConnectionPool":
    from redis import ConnectionPool

    assert SETTINGS.redis
    return ConnectionPool.from_url(SETTINGS.redis, **stores.redis_options())


def redis() -> "ConnectionInterface":
    connection = redis_pool().make_connection()
    connection.connect()
    return connection


def memcached() -> "Client":
    from pymemcache.client.base import Client

    assert SETTINGS.memcached
    return Client(SETTINGS.memcached, **stores.memcached_options())


def postgres() -> "PostgresConnection[Any]":
    import psycopg

    assert SETTINGS.postgres
    POSTGRES.postgres()
    return psycopg.connect(SETTINGS.postgres, autocommit=True, connect_timeout=2)


def sqlite(*, check_same_thread: bool = True) -> sqlite3.Connection:
    """Autocommit, in the database that the workload's tables are in."""
    with SQLITE.sqlite():
        pass
    return sqlite3.connect(SQLITE.path, isolation_level=None, check_same_thread=check_same_thread)


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """What SQLite or its module refuses is said to the client, as the errors of the servers are."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreDown("sqlite", error) from error


def probe_redis(value: int) -> int:
    connection = redis()
    try:
        return over_redis(connection, AT_ONCE, value)
    finally:
        connection.disconnect()


def probe_memcached(key: str, value: int) -> int | None:
    client = memcached()
    try:
        return over_memcached(client, key, AT_ONCE, value)
    finally:
        client.close()


def probe_postgres(value: int) -> int | None:
    with postgres() as connection:
        return over_postgres(connection, AT_ONCE, value)


def probe_sqlite(value: int) -> int | None:
    with refusing(), contextlib.closing(sqlite()) as connection:
        return over_sqlite(connection, AT_ONCE, value)
