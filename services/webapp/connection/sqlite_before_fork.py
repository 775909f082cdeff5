"""One SQLite connection, opened when the app is made: before the fork, where the server makes the app first.

People open it at the top of a module. SQLite's documentation forbids using it in a forked process: each process goes on
with a copy of what the library remembers of one file, which works until one of them closes its connection.
"""

import sqlite3

from flask import Flask

from webapp.claims import BLOCKING, NOTHING, PROCESS, Claims
from webapp.connection import conversation, opening
from webapp.window import Window

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    switches_inside=BLOCKING,
    fails_across=frozenset({"threads"}),  # CPython 3.13: examples/sqlite_shared_statement.py
    fails_beside=frozenset({"processes"}),
    not_after_fork=True,
    survives="request",
    medium="sqlite",
)

opened: list[sqlite3.Connection] = []


def init_app(app: Flask) -> None:
    opened.append(opening.sqlite(check_same_thread=False))


def echo(key: str, window: Window, value: int) -> int | None:
    with opening.refusing():
        return conversation.over_sqlite(opened[0], window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_sqlite(value)


def left(key: str) -> None:
    """None: SQLite has no server that counts connections."""
