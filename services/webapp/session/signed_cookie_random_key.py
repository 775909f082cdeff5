"""Flask's own session, signed with a key that is drawn when the app is made: `app.secret_key = os.urandom(24)`.

People copy it from answers on how to get a good key. Each process that imports the app draws its own and rejects the
others' cookies, so users are logged out at random. Forks of one import (`--preload`, `processes=10`) have the same key,
until the server starts again.
"""

import secrets

from flask import Flask, session

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.window import Window

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    survives="worker",
    inherited=frozenset({"processes"}),
    keyed=True,
    carried=True,
)


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "signed-cookie-random-key")
    mine.secret_key = secrets.token_bytes(24)


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
