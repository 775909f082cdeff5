"""How a connection to each store is opened, as its documentation says."""

import contextlib
import sqlite3
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from webapp import stores
from webapp.connection.conversation import SQLITE, over_memcached, over_postgres, over_redis, over_sqlite
from webapp.errors import StoreDown
from webapp.settings import SETTINGS
from webapp.tables import ADVISORY_LOCK
from webapp.window import WINDOWS

if TYPE_CHECKING:
    from psycopg import Connection as PostgresConnection
    from pymemcache.client.base import Client
    from redis import ConnectionPool
    from redis.connection import ConnectionInterface
    from sqlalchemy import QueuePool

AT_ONCE = WINDOWS["tight"]


def redis_pool(called: str | None = None) -> "ConnectionPool":
    from redis import ConnectionPool

    assert SETTINGS.redis
    return ConnectionPool.from_url(SETTINGS.redis, client_name=called, **stores.redis_options())


def redis(called: str | None = None) -> "ConnectionInterface":
    connection = redis_pool(called).make_connection()
    connection.connect()
    return connection


def memcached() -> "Client":
    from pymemcache.client.base import Client

    assert SETTINGS.memcached
    return Client(SETTINGS.memcached, **stores.memcached_options())


def postgres(called: str | None = None, user: str | None = None) -> "PostgresConnection[Any]":
    import psycopg

    assert SETTINGS.postgres
    return psycopg.connect(SETTINGS.postgres, autocommit=True, connect_timeout=2, application_name=called, user=user)


def sqlite(*, check_same_thread: bool = True) -> sqlite3.Connection:
    """Autocommit, in the database that the workload's tables are in."""
    with SQLITE.sqlite():
        pass
    return sqlite3.connect(SQLITE.path, isolation_level=None, check_same_thread=check_same_thread)


def sqlite_pool() -> "QueuePool":
    """SQLAlchemy's pool for a file: a thread that asks gets a connection that no other thread has."""
    from sqlalchemy import QueuePool

    def opened() -> Any:
        return sqlite(check_same_thread=False)

    return QueuePool(opened)


@contextlib.contextmanager
def lent(pool: "QueuePool") -> Iterator[sqlite3.Connection]:
    """One of the pool's connections, for as long as it lasts."""
    with contextlib.closing(pool.connect()) as borrowed:
        assert isinstance(borrowed.dbapi_connection, sqlite3.Connection)
        yield borrowed.dbapi_connection


@cache
def limited_user(name: str) -> str:
    """A user of PostgreSQL with at most ten connections, a usual limit for an application, so that connections that one
    mechanism leaves open do not harm the others."""
    from psycopg import sql

    user = sql.Identifier(name)
    with stores.postgres().connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 10").format(user))
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(connection.info.user), user))
    return name


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Reports refusals of SQLite or its module to the client, as the errors of the servers are."""
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
