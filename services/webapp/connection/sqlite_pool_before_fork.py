"""SQLAlchemy's pool of SQLite connections, used when the app is made: before the fork, where the server makes it first.

People make the engine at the top of a module, and create their tables there. Its documentation says to dispose of the
pool after a fork. Otherwise each process goes on with the connection that was in the pool, which SQLite's documentation
forbids.
"""

from flask import Flask
from sqlalchemy import QueuePool

from webapp.claims import PROCESS, Claims
from webapp.connection import conversation, opening
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, not_after_fork=True, survives="request", medium="sqlite")

pools: list[QueuePool] = []


def init_app(app: Flask) -> None:
    pools.append(opening.sqlite_pool())
    with opening.lent(pools[0]) as connection:
        connection.execute("SELECT 1")


def echo(key: str, window: Window, value: int) -> int | None:
    with opening.refusing(), opening.lent(pools[0]) as connection:
        return conversation.over_sqlite(connection, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_sqlite(value)


def left(key: str) -> None:
    """None: SQLite has no server that counts connections."""
