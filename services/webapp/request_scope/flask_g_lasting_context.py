"""`flask.g` after `app.app_context().push()` in the module that makes the app: a context that never ends.

People push it so that code outside requests works. Flask makes no new context where one of the app is there already, so
all requests that are served by the thread that imported the app share one `g`: under gunicorn's sync workers somebody
else is logged in, with `flask run`, where each request has a thread of its own, nothing is wrong.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask
from flask import g

from webapp.claims import NOTHING
from webapp.claims import THREAD
from webapp.claims import Claims
from webapp.errors import register_errors
from webapp.window import Window

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment

CLAIMS = Claims(shared_across=THREAD, atomic_across=NOTHING, survives="request", of_importing_thread=True)

PATH = "/request-scope/flask-g-lasting-context/"


def echo(key: str, window: Window, value: str) -> str:
    setattr(g, key, value)
    window()
    stored: str = getattr(g, key)
    return stored


def find(key: str, value: str) -> str:
    found: str = g.get(key, value)
    return found


def init_app(app: Flask) -> None:
    """Gives this mechanism a Flask app of its own: all others would share the lasting `g` as well."""
    from webapp.views import register_views

    mine = Flask(app.import_name)
    register_views(mine)
    register_errors(mine)
    mine.app_context().push()  # what is wrong
    everything_else = app.wsgi_app

    def dispatch(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        chosen = mine.wsgi_app if environ["PATH_INFO"].startswith(PATH) else everything_else
        return chosen(environ, start_response)

    app.wsgi_app = dispatch  # type: ignore[method-assign]
