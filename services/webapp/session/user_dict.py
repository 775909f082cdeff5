"""A module-level dictionary by user id; the id is in Flask's signed cookie.

People believe that a global kept by user is safe. Users no longer overwrite each other, but another process has another
dictionary, which does not know who has logged in here; and a user's own requests still overwrite each other.
"""

from flask import Flask, session

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.own_app import own_app
from webapp.session.answers import known, nobody, shown
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request", keyed=True)

users: dict[str, dict[str, int]] = {}


def init_app(app: Flask) -> None:
    mine = own_app(app, "session", "user-dict")
    mine.config["SECRET_KEY"] = "one for all processes; yours is a secret"


def login(key: str, window: Window, user: str) -> str:
    window()
    session["user"] = user
    users[user] = {"count": 0}
    return user


def count(key: str, window: Window) -> str:
    user = known(whoami(key))
    mine = users[user]
    value = mine["count"]
    window()
    mine["count"] = value + 1
    return shown(user, value + 1)


def logout(key: str, window: Window) -> str:
    window()
    user: str = session.pop("user", "")
    if users.pop(user, None) is None:
        raise nobody()
    return user


def read(key: str) -> str:
    user = known(whoami(key))
    return shown(user, users[user]["count"])


def whoami(key: str) -> str | None:
    user: str | None = session.get("user")
    return user if user in users else None
