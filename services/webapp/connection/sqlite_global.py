"""One SQLite connection for the process, opened at its first use with `check_same_thread=False`.

People find that option when threads are refused, and think it enough; statements of different requests then mix,
and "the row that I inserted last" is somebody else's.
"""

import sqlite3

from webapp import stores
from webapp.claims import BLOCKING, NOTHING, PROCESS, Claims
from webapp.connection import conversation, opening
from webapp.window import Window

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    switches_inside=BLOCKING,
    fails_across=frozenset({"threads"}),  # CPython 3.13: examples/sqlite_shared_statement.py
    fails_beside=frozenset({"processes"}),
    survives="request",
    medium="sqlite",
)


@stores.per_process
def connection() -> sqlite3.Connection:
    return opening.sqlite(check_same_thread=False)


def echo(key: str, window: Window, value: int) -> int | None:
    with opening.refusing():
        return conversation.over_sqlite(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_sqlite(value)


def left(key: str) -> None:
    """None: SQLite has no server that counts connections."""
