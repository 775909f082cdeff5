"""Flask-Session in a SQL table: `SESSION_TYPE = "sqlalchemy"`, here in a SQLite file.

People expect the database's transactions to protect it. Reading and writing are two transactions, at the beginning and
at the end of the request, and the row is written whole. It is found by its session id and written by its number. SQLite
gives that number again if it was the highest and its row was deleted: a late request then writes its own user into the
row of the user who has just logged in. The lab calls the window once more, between the finding and the writing.
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
    name_reused=True,
    medium="sqlite",
)


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "flask-session-sqlalchemy")
    mine.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{SETTINGS.state_dir / 'flask-session.sqlite3'}"
    mine.config["SESSION_TYPE"] = "sqlalchemy"
    mine.config["SESSION_SQLALCHEMY"] = database = SQLAlchemy(mine)
    with (SETTINGS.state_dir / "flask-session.lock").open("w") as lock, mine.app_context():
        fcntl.flock(lock, fcntl.LOCK_EX)  # four workers that create the table at once trip over each other
        database.session.connection().exec_driver_sql("PRAGMA journal_mode = WAL")
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
