"""What a request does over a connection: send, work, receive. The mechanisms differ in the connection that they use.

Three of eight requests do some work in between, the others none. Otherwise all would take their replies in the order of
sending, and crossed replies would never show.
"""

import sqlite3
from typing import TYPE_CHECKING, Any

from webapp.tables import Tables
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg import Connection as PostgresConnection
    from pymemcache.client.base import Client, PooledClient
    from redis.connection import ConnectionInterface

SQLITE = Tables(
    "connection", "CREATE TABLE IF NOT EXISTS sent (id INTEGER PRIMARY KEY AUTOINCREMENT, value INTEGER NOT NULL)"
)
POSTGRES = Tables(
    "connection",
    "CREATE TABLE IF NOT EXISTS sent (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, value bigint NOT NULL)",
)


def work(window: Window, value: int) -> None:
    for _ in range(max(0, value % 8 - 4)):
        window()


def over_redis(connection: "ConnectionInterface", window: Window, value: int) -> int:
    """`ECHO`, sent and received as redis-py does it inside of every command."""
    connection.send_command("ECHO", value)
    work(window, value)
    return int(connection.read_response())


def over_memcached(client: "Client | PooledClient", key: str, window: Window, value: int) -> int | None:
    """`set` of a key of its own, then `get`."""
    own = f"{key}.{value}"
    client.set(own, value, expire=60)
    work(window, value)
    found: int | None = client.get(own)
    return found


def over_sqlite(connection: sqlite3.Connection, window: Window, value: int) -> int | None:
    """A row, then the row that this connection inserted last."""
    connection.execute("INSERT INTO sent (value) VALUES (?)", [value])
    work(window, value)
    row = connection.execute("SELECT value FROM sent WHERE id = last_insert_rowid()").fetchone()
    return row and int(row[0])


def over_postgres(connection: "PostgresConnection[Any]", window: Window, value: int) -> int | None:
    """A row, then the row that this session inserted last."""
    POSTGRES.postgres()  # the table is there
    connection.execute("INSERT INTO sent (value) VALUES (%s)", [value])
    work(window, value)
    row = connection.execute("SELECT value FROM sent WHERE id = lastval()").fetchone()
    return row and int(row[0])
