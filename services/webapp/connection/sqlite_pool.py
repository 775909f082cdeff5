"""SQLAlchemy's pool of SQLite connections, made at the first use in each process; `sqlite3` has none of its own.

People use it without knowing, whenever SQLAlchemy opens a file; a request has a connection to itself.
"""

from webapp import stores
from webapp.claims import PROCESS, Claims
from webapp.connection import conversation, opening
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", medium="sqlite")


pool = stores.per_process(opening.sqlite_pool)


def echo(key: str, window: Window, value: int) -> int | None:
    with opening.refusing(), opening.lent(pool()) as connection:
        return conversation.over_sqlite(connection, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_sqlite(value)


def left(key: str) -> None:
    """None: SQLite has no server that counts connections."""
