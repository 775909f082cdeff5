"""One global "current user" in a module, set by the login.

People write `global current_user` as in a script; it is shared by all: everybody becomes the user who logged in last,
and one logout logs all out.
"""

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.session.answers import known, shown
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

current_user: str | None = None
counters: dict[str, int] = {}


def login(key: str, window: Window, user: str) -> str:
    global current_user
    window()
    current_user = user
    counters[user] = 0
    return user


def count(key: str, window: Window) -> str:
    user = known(current_user)
    value = counters[user]
    window()
    counters[user] = value + 1
    return shown(user, value + 1)


def logout(key: str, window: Window) -> str:
    global current_user
    window()
    user = known(current_user)
    current_user = None
    return user


def read(key: str) -> str:
    user = known(current_user)
    return shown(user, counters[user])


def whoami(key: str) -> str | None:
    return current_user
