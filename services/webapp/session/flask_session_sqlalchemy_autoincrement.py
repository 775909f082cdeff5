"""Flask-Session in a SQLite table whose numbers are never given again: `AUTOINCREMENT`.

People do not choose it: Flask-Session makes its table without it, but uses a table that exists already. A late
request then finds no row of its number, tries again, and creates its session anew: nobody else is harmed.
"""

import fcntl

from flask import Flask, g, session
from flask_session import Session
from flask_sqlalchemy import SQLAlchemy

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.session.late_write import widen
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=NOTHING,
    survives="store",
    switches_inside=BLOCKING,
    keyed=True,
    written_whole=True,
    medium="sqlite",
)


TABLE = """CREATE TABLE IF NOT EXISTS sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, session_id VARCHAR(255) UNIQUE, data BLOB, expiry DATETIME
)"""


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "flask-session-sqlalchemy-autoincrement")
    mine.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{SETTINGS.state_dir / 'flask-session-autoincrement.sqlite3'}"
    mine.config["SESSION_TYPE"] = "sqlalchemy"
    mine.config["SESSION_SQLALCHEMY"] = database = SQLAlchemy(mine)
    with (SETTINGS.state_dir / "flask-session-autoincrement.lock").open("w") as lock, mine.app_context():
        fcntl.flock(lock, fcntl.LOCK_EX)  # four workers that create the table at once trip over each other
        database.session.connection().exec_driver_sql("PRAGMA journal_mode = WAL")
        database.session.connection().exec_driver_sql(TABLE)
        database.session.remove()
        Session(mine)
        widen(database)
        database.engine.dispose()  # connections must not cross a fork


def login(key: str, window: Window, user: str) -> str:
    session.clear()
    window()
    session["user"] = user
    session["count"] = 0
    return user


def count(key: str, window: Window) -> str:
    g.window = window
    user, value = known(session.get("user")), session["count"]
    window()
    session["count"] = value + 1
    return shown(user, value + 1)


def logout(key: str, window: Window) -> str:
    user = known(session.get("user"))
    window()
    session.clear()
    return user


def read(key: str) -> str:
    return shown(session.get("user"), session.get("count"))


def whoami(key: str) -> str | None:
    user: str | None = session.get("user")
    return user
