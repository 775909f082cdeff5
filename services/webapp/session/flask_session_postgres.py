"""Flask-Session in a SQL table of PostgreSQL: `SESSION_TYPE = "sqlalchemy"`.

People expect another database to make no difference. But its sequences never give a number twice, so a late request
finds no row of its own, tries again, and creates its session anew; but each session is still read whole and written
whole.
"""

from flask import Flask, g, session
from flask_session import Session
from flask_sqlalchemy import SQLAlchemy

from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.session.late_write import widen
from webapp.settings import SETTINGS
from webapp.tables import ADVISORY_LOCK
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    survives="store",
    switches_inside=SOCKETS,
    store="postgres",
    keyed=True,
    written_whole=True,
)


def init_app(app: Flask) -> None:
    import psycopg

    mine = own_app(app, "session", "flask-session-postgres", store="postgres")
    mine.config["SQLALCHEMY_DATABASE_URI"] = "postgresql+psycopg://"
    mine.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"creator": lambda: psycopg.connect(SETTINGS.postgres or "")}
    mine.config["SESSION_TYPE"] = "sqlalchemy"
    mine.config["SESSION_SQLALCHEMY_TABLE"] = "flask_sessions"
    mine.config["SESSION_SQLALCHEMY"] = database = SQLAlchemy(mine)
    with mine.app_context(), psycopg.connect(SETTINGS.postgres or "") as lock:
        lock.execute("SELECT pg_advisory_xact_lock(%s)", [ADVISORY_LOCK])  # workers create the table one by one
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
