"""Flask-Session in a SQLite table, with an update that names the row by its session id.

People trust a primary key to mean the same row for ever. A session id does, because it is random and never given twice.
The faults of every session that is written as a whole remain.
"""

import fcntl
from datetime import UTC, datetime, timedelta

from flask import Flask, g, session
from flask_session.base import ServerSideSession
from flask_session.sqlalchemy.sqlalchemy import SqlAlchemySessionInterface
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


class BySessionId(SqlAlchemySessionInterface):
    def _upsert_session(self, session_lifetime: timedelta, session: ServerSideSession, store_id: str) -> None:
        expiry = datetime.now(UTC).replace(tzinfo=None) + session_lifetime
        assert self.serializer
        new = {"data": self.serializer.encode(session), "expiry": expiry}
        if not self.sql_session_model.query.filter_by(session_id=store_id).update(new):
            self.client.session.add(self.sql_session_model(session_id=store_id, **new))
        self.client.session.commit()


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "flask-session-sqlalchemy-by-session-id")
    mine.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{SETTINGS.state_dir / 'flask-session-by-session-id.sqlite3'}"
    database = SQLAlchemy(mine)
    with (SETTINGS.state_dir / "flask-session-by-session-id.lock").open("w") as lock, mine.app_context():
        fcntl.flock(lock, fcntl.LOCK_EX)  # four workers that create the table at once trip over each other
        database.session.connection().exec_driver_sql("PRAGMA journal_mode = WAL")
        database.session.remove()
        mine.session_interface = BySessionId(mine, database)
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
