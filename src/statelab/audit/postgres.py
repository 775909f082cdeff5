"""The tables of one PostgreSQL of the lab: looked at, and put back between worlds.

What the import made stays as it is (tables, indexes, connections): only rows and the next values of sequences are put
back, and what worlds have added is dropped.
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
"""`rows` by table, as COPY gives them, and of each sequence the last value (None: not used yet) and the first one."""


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
            except psycopg.OperationalError:  # its socket is there a moment before it takes connections
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
        """A table of the import that a world has dropped cannot be put back: raises BadInput."""
        rows: dict[str, bytes] = kept.get("rows", {})
        there = [table for (table,) in self._ask(TABLES)]
        gone = sorted(rows.keys() - set(there))
        if gone:
            raise BadInput(f"a request dropped the table {gone[0]}, which the audit cannot put back: leave it out")
        sequences = kept.get("sequences", {})
        with self._connection.transaction():
            # foreign keys are not looked at meanwhile: the rows were right together
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
        """By table the rows, as text and in the order of the text."""
        return {
            table: sorted(self._rows(table).decode(errors="backslashreplace").splitlines())
            for (table,) in self._ask(TABLES)
        }

    def close(self) -> None:
        self._connection.close()
