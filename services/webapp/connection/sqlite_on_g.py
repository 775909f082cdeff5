"""An SQLite connection on `flask.g`, opened at the first use in a request and closed by a teardown function.

People find it wasteful; no two requests share a connection, so nothing can be mixed up.
"""

import sqlite3

from flask import Flask, g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.connection import conversation, opening
from webapp.own_app import own_app
from webapp.window import Window

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, medium="sqlite")


def connection() -> sqlite3.Connection:
    if "sqlite" not in g:
        g.sqlite = opening.sqlite()
    opened: sqlite3.Connection = g.sqlite
    return opened


def close(error: BaseException | None = None) -> None:
    if "sqlite" in g:
        g.pop("sqlite").close()


def init_app(app: Flask) -> None:
    mine = own_app(app, "connection", "sqlite-on-g")
    mine.teardown_appcontext(close)


def echo(key: str, window: Window, value: int) -> int | None:
    with opening.refusing():
        return conversation.over_sqlite(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_sqlite(value)


def left(key: str) -> None:
    """None: SQLite has no server that counts connections."""
