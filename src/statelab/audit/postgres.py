"""Reads the tables of one PostgreSQL of the lab, and restores them between worlds.

What the import made stays (tables, indexes, connections): only rows and the next values of sequences are restored, and
what worlds have added is dropped.
"""

import importlib
import time
from typing import Any

from statelab.core.errors import BadInput

READY_S = 20.0

TABLES = """
    SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1
"""
SEQUENCES = """
    SELECT format('%I.%I', schemaname, sequencename), last_value, start_value FROM pg_sequences ORDER BY 1
"""

Kept = dict[str, Any]
"""`rows` by table, in the format of COPY, and for each sequence its last value (None: not used yet) and its first."""


class Postgres:
    """A connection of a superuser."""

    def __init__(self, address: str) -> None:
        try:
            psycopg: Any = importlib.import_module("psycopg")
        except ImportError:
            raise BadInput('stores: "postgres" needs psycopg beside statelab: pip install "psycopg[binary]"') from None
        deadline = time.monotonic() + READY_S
        while True:
            try:
                self._connection = psycopg.connect(address, autocommit=True)
                return
            except psycopg.OperationalError:  # its socket exists a moment before it accepts connections
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def _ask(self, query: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return found

    def _rows(self, table: str) -> bytes:
        with self._connection.cursor().copy(f"COPY {table} TO STDOUT") as copy:
            return b"".join(map(bytes, copy))

    def save(self) -> Kept:
        rows = {table: self._rows(table) for (table,) in self._ask(TABLES)}
        sequences = {name: (last, first) for name, last, first in self._ask(SEQUENCES)}
        return {"rows": rows, "sequences": sequences}

    def put_back(self, kept: Kept) -> None:
        """Restores the saved rows. Raises BadInput if a world has dropped a table of the import, which cannot be
        restored."""
        rows: dict[str, bytes] = kept.get("rows", {})
        there = [table for (table,) in self._ask(TABLES)]
        gone = sorted(rows.keys() - set(there))
        if gone:
            raise BadInput(f"a request dropped the table {gone[0]}, which the audit cannot put back: leave it out")
        sequences = kept.get("sequences", {})
        with self._connection.transaction():
            # foreign keys are not checked meanwhile: the saved rows were consistent
            self._connection.execute("SET LOCAL session_replication_role = replica")
            for table in there:
                if table not in rows:
                    self._connection.execute(f"DROP TABLE {table} CASCADE")
            if rows:
                self._connection.execute(f"TRUNCATE {', '.join(rows)}")
            for table, content in rows.items():
                with self._connection.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    copy.write(content)
            for name, (last, first) in sequences.items():
                self._connection.execute(
                    "SELECT setval(%s, %s, %s)", (name, first if last is None else last, last is not None)
                )

    def contents(self) -> dict[str, list[str]]:
        """The rows of each table as text, sorted."""
        return {
            table: sorted(self._rows(table).decode(errors="backslashreplace").splitlines())
            for (table,) in self._ask(TABLES)
        }

    def close(self) -> None:
        self._connection.close()
