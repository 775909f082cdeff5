"""Flask's own session: everything in a cookie, signed with one SECRET_KEY.

People take `session` for a place on the server. It travels with the requests: two requests of a browser carry the same
count and the last answer wins, and a client that has kept a cookie is still logged in after the logout.
"""

from flask import Flask, session

from webapp.claims import CLUSTER, NOTHING, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, shown
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=NOTHING, survives="store", keyed=True, carried=True)


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "signed-cookie")
    mine.config["SECRET_KEY"] = "one for all processes; yours is a secret"


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
