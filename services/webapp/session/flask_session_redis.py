"""Flask-Session in Redis: `SESSION_TYPE = "redis"`.

People trust that Redis makes it safe for many processes. Redis does only what it is told: a plain `GET` when a request
begins and a `SET` of the whole session when it ends, even if the request changed nothing.
"""

from flask import Flask, session
from flask_session import Session
from redis import Redis

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
    store="redis",
    keyed=True,
    written_whole=True,
)


def init_app(app: Flask) -> None:
    assert SETTINGS.redis
    mine = own_app(app, "session", "flask-session-redis", store="redis")
    mine.config["SESSION_TYPE"] = "redis"
    mine.config["SESSION_REDIS"] = Redis.from_url(SETTINGS.redis, **stores.redis_options())
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
