"""Flask-Session in memcached: `SESSION_TYPE = "memcached"`, with pymemcache's pooled client.

People know that memcached's commands are atomic. Flask-Session uses only `get` and `set`, one at the start and one at
the end of the request; and a restart of memcached logs everybody out.
"""

from flask import Flask, session
from flask_session import Session
from pymemcache.client.base import PooledClient
from pymemcache.exceptions import MemcacheIllegalInputError

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    survives="server",
    switches_inside=SOCKETS,
    store="memcached",
    keyed=True,
    written_whole=True,
)


def init_app(app: Flask) -> None:
    assert SETTINGS.memcached
    mine = own_app(app, "session", "flask-session-memcached", store="memcached", unfit=MemcacheIllegalInputError)
    mine.config["SESSION_TYPE"] = "memcached"
    mine.config["SESSION_MEMCACHED"] = PooledClient(
        SETTINGS.memcached,
        default_noreply=False,
        no_delay=True,
        connect_timeout=stores.TIMEOUT,
        timeout=stores.TIMEOUT,
    )
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
