"""The tables of a workload's SQL mechanisms, and connections to databases that have them."""

import contextlib
import fcntl
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from webapp import stores
from webapp.errors import Refused
from webapp.settings import SETTINGS

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

ADVISORY_LOCK = 20260301
"""A lock number that all processes share, so that no two create a table at the same time."""


class Tables:
    """One workload's tables in SQLite (a file of its own) and in PostgreSQL; made at the first use in each process."""

    def __init__(self, workload: str, *statements: str) -> None:
        self._workload = workload
        self._statements = statements
        self._prepared_sqlite = stores.per_process(self._prepare_sqlite)
        self.postgres = stores.per_process(self._prepare_postgres)

    @property
    def path(self) -> Path:
        """The file of the SQLite database."""
        return SETTINGS.state_dir / f"{self._workload}.sqlite3"

    def _prepare_postgres(self) -> "ConnectionPool[Any]":
        pool = stores.postgres()
        with pool.connection() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])
            for statement in self._statements:
                connection.execute(statement)
        return pool

    def _open_sqlite(self) -> sqlite3.Connection:
        """Autocommit: transactions are begun explicitly. Waits five seconds for locks, Python's default."""
        return sqlite3.connect(self.path, timeout=5, isolation_level=None)

    def _prepare_sqlite(self) -> bool:
        """Write-ahead logging, as guides for web apps advise: readers and a writer do not wait for each other, so a
        cell tests the workload's promise and not the busy timeout."""
        with (
            self.path.with_suffix(".lock").open("w") as lock,
            contextlib.closing(self._open_sqlite()) as database,
        ):
            fcntl.flock(lock, fcntl.LOCK_EX)
            database.execute("PRAGMA journal_mode = WAL")
            for statement in self._statements:
                database.execute(statement)
        return True

    @contextlib.contextmanager
    def sqlite(self) -> Iterator[sqlite3.Connection]:
        """A connection for one request, as in Flask's tutorial; uncommitted changes are undone at the end."""
        self._prepared_sqlite()
        try:
            with contextlib.closing(self._open_sqlite()) as connection:
                connection.execute("PRAGMA synchronous = NORMAL")
                yield connection
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise Refused(409, f"SQLite: {error}") from error
            raise
