"""Flask-Session with files: `SESSION_TYPE = "cachelib"` and cachelib's `FileSystemCache`.

People take each access to `session` for an access to the file. The whole session is read when a request begins and
written when it ends: of two at once one loses its count, and one that ends after a logout brings the session back.
"""

from cachelib.file import FileSystemCache
from flask import Flask, session
from flask_session import Session

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=NOTHING,
    survives="store",
    switches_inside=BLOCKING,
    keyed=True,
    written_whole=True,
    medium="file",
)


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "flask-session-filesystem")
    mine.config["SESSION_TYPE"] = "cachelib"
    mine.config["SESSION_CACHELIB"] = FileSystemCache(str(SETTINGS.state_dir / "flask_session"), threshold=500)
    Session(mine)


def login(key: str, window: Window, user: str) -> str:
    session.clear()
    window()
    session["user"] = user
    session["count"] = 0
    return user


def count(key: str, window: Window) -> str:
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
