"""One SQLite connection for the process, opened at its first use, with the thread check that is the default.

People keep it because it works in development with one thread; any other thread is refused, but greenlets are not,
since they all run in one thread.
"""

import sqlite3

from webapp import stores
from webapp.claims import BLOCKING, NOTHING, PROCESS, Claims
from webapp.connection import conversation, opening
from webapp.window import Window

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    fails_across=BLOCKING,
    notices=BLOCKING,
    switches_inside=BLOCKING,
    survives="request",
    medium="sqlite",
)


@stores.per_process
def connection() -> sqlite3.Connection:
    return opening.sqlite()


def echo(key: str, window: Window, value: int) -> int | None:
    with opening.refusing():
        return conversation.over_sqlite(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_sqlite(value)


def left(key: str) -> None:
    """None: SQLite has no server that counts connections."""
