"""Flask-Session in Valkey: `SESSION_TYPE = "cachelib"` and cachelib's `ValkeyCache`.

People take it for Flask-Session's Redis under another name: it refuses a client of Valkey there, and here it writes the
whole session after each request that changed it, so that of two at once one loses its count all the same.
"""

from importlib.util import find_spec

from cachelib import ValkeyCache
from flask import Flask, session
from flask_session import Session

from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.settings import SETTINGS
from webapp.stores import TIMEOUT
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    survives="server",
    switches_inside=SOCKETS,
    store="redis",
    keyed=True,
    written_whole=True,
)


def unavailable() -> str | None:
    return None if find_spec("valkey") else "the package valkey is not installed here"


def init_app(app: Flask) -> None:
    from valkey import Valkey

    mine = own_app(app, "session", "flask-session-valkey", store="redis")
    mine.config["SESSION_TYPE"] = "cachelib"
    url = (SETTINGS.redis or "").replace("redis://", "valkey://")
    mine.config["SESSION_CACHELIB"] = ValkeyCache(Valkey.from_url(url, socket_timeout=TIMEOUT))
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
