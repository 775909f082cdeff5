"""`flask.g` after `app.app_context().push()` in the module that makes the app: a context that never ends.

People push it so that code outside requests works. Flask makes no new context where one of the app is there already, so
all requests that are served by the thread that imported the app share one `g`: under gunicorn's sync workers another
user is logged in; with `flask run`, where each request has a thread of its own, nothing is wrong. An ASGI server runs
each request in a copy of the context, and so all requests of a process share it.
"""

from flask import Flask, g

from webapp.claims import NOTHING, THREAD, Claims
from webapp.own_app import own_app
from webapp.window import Window

CLAIMS = Claims(
    shared_across=THREAD, atomic_across=NOTHING, survives="request", of_importing_thread=True, in_context=True
)


def init_app(app: Flask) -> None:
    mine = own_app(app, "request-scope", "flask-g-lasting-context")
    mine.app_context().push()


def echo(key: str, window: Window, value: str) -> str:
    setattr(g, key, value)
    window()
    stored: str = getattr(g, key)
    return stored


def find(key: str, value: str) -> str:
    found: str = g.get(key, value)
    return found
