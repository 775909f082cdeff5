"""The one table of the SQL mechanisms, and connections to databases that have it."""

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any

from webapp import stores
from webapp.errors import Refused
from webapp.settings import SETTINGS

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

TABLE = "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, n BIGINT NOT NULL)"
ADVISORY_LOCK = 20260301
"""Any number that all processes agree on: two that create the table at once would trip over each other."""


@stores.per_process
def postgres() -> "ConnectionPool[Any]":
    pool = stores.postgres()
    with pool.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
        connection.execute(TABLE)
    return pool


def _open_sqlite() -> sqlite3.Connection:
    """Autocommit: what begins a transaction says so. Waits five seconds for the locks of others, Python's default."""
    return sqlite3.connect(SETTINGS.state_dir / "counter.sqlite3", timeout=5, isolation_level=None)


@stores.per_process
def _prepared_sqlite() -> bool:
    """Write-ahead logging, as every guide for web apps advises: readers and a writer do not wait for each other, so it
    is the counter's promise that is tried, not the busy timeout."""
    with (
        (SETTINGS.state_dir / "counter.sqlite3.lock").open("w") as lock,
        contextlib.closing(_open_sqlite()) as database,
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(TABLE)
    return True


@contextlib.contextmanager
def sqlite() -> Iterator[sqlite3.Connection]:
    """A connection for one request, as Flask's tutorial has it; what it has not committed is undone at the end."""
    _prepared_sqlite()
    try:
        with contextlib.closing(_open_sqlite()) as connection:
            connection.execute("PRAGMA synchronous = NORMAL")
            yield connection
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            raise Refused(409, f"SQLite: {error}") from error
        raise
