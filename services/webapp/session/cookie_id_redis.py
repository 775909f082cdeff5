"""A random session id in Flask's signed cookie; user and counter in a Redis hash that one script at a time touches.

People think that sessions in a store must be fetched and written back. Here the store counts by itself, and only in a
session that is still there; the logout deletes it, so neither a slow request nor a kept cookie opens it again.
"""

import secrets
from typing import Any

from flask import Flask, session

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.own_app import own_app
from webapp.session.answers import nobody, shown
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis", keyed=True)

COUNT = """
if redis.call('EXISTS', KEYS[1]) == 0 then return nil end
return {redis.call('HGET', KEYS[1], 'user'), redis.call('HINCRBY', KEYS[1], 'count', 1)}
"""
LIFETIME_S = 3600


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "cookie-id-redis", store="redis")
    mine.config["SECRET_KEY"] = "one for all processes; yours is a secret"


def _place() -> str:
    return f"session:{session.get('id', '')}"


def login(key: str, window: Window, user: str) -> str:
    window()
    session["id"] = secrets.token_urlsafe(32)
    with stores.redis().pipeline() as both:
        both.hset(_place(), mapping={"user": user, "count": 0})
        both.expire(_place(), LIFETIME_S)
        both.execute()
    return user


def count(key: str, window: Window) -> str:
    window()
    found: Any = stores.redis().eval(COUNT, 1, _place())
    if found is None:
        raise nobody()
    user, value = found
    return shown(user.decode(), value)


def logout(key: str, window: Window) -> str:
    window()
    user = whoami(key)
    if user is None or not stores.redis().delete(_place()):
        raise nobody()
    session.clear()
    return user


def read(key: str) -> str:
    found: Any = stores.redis().hmget(_place(), "user", "count")
    user, value = found
    if user is None:
        raise nobody()
    return shown(user.decode(), int(value))


def whoami(key: str) -> str | None:
    user: Any = stores.redis().hget(_place(), "user")
    return None if user is None else str(user.decode())
