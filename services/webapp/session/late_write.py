"""Puts the window inside Flask-Session's write, after it has found its row and before it updates it."""

from typing import Any

from flask import g
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event


def widen(database: SQLAlchemy) -> None:
    """Each UPDATE waits for the window that the request has put into `flask.g`; without one there nothing waits. No
    lock is held then: SQLite's driver begins its transaction with the statement."""

    @event.listens_for(database.engine, "before_cursor_execute")
    def pause(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        window = g.get("window")
        if window and statement.startswith("UPDATE"):
            window()
