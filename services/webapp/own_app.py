"""A separate Flask app for a mechanism that needs its own app-wide configuration, such as sessions.

It answers all requests whose path begins with the mechanism's, by the same rules as the lab's app.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, jsonify
from werkzeug.exceptions import InternalServerError

from webapp.errors import StoreDown, register_errors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class OwnApps:
    """Chooses the app that answers, by the first two parts of the path: workload and mechanism."""

    def __init__(self, otherwise: "WSGIApplication") -> None:
        self._otherwise = otherwise
        self.apps: dict[str, WSGIApplication] = {}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        name = "/".join(environ["PATH_INFO"].split("/", 3)[1:3])
        return self.apps.get(name, self._otherwise)(environ, start_response)


def _configured_like(app: Flask) -> Flask:
    mine = Flask(app.import_name)
    mine.json = app.json
    return mine


def _name_store(mine: Flask, store: str, unfit: type[Exception] | None) -> None:
    """Reports an error outside the view, when a session is opened or saved, as a failure of the store."""

    def fail(error: InternalServerError) -> tuple[Response, int]:
        original = error.original_exception or error
        if unfit and isinstance(original, unfit):
            return jsonify(error=f"{store} takes no such session id: {original}", valid=[]), 400
        return jsonify(error=str(StoreDown(store, original)), store=store), 503

    mine.register_error_handler(InternalServerError, fail)


def own_app(
    app: Flask, workload: str, mechanism: str, store: str | None = None, unfit: type[Exception] | None = None
) -> Flask:
    """A new app for the mechanism, put before `app`; `store` is the store that it needs, `unfit` the error that the
    store's client raises for an invalid id."""
    from webapp.views import register_views  # it imports the catalogue, which imports the mechanisms

    if not isinstance(app.wsgi_app, OwnApps):
        app.wsgi_app = OwnApps(app.wsgi_app)  # type: ignore[method-assign]
    mine = _configured_like(app)
    register_views(mine, only=(workload, mechanism))
    register_errors(mine)
    if store:
        _name_store(mine, store, unfit)
    app.wsgi_app.apps[f"{workload}/{mechanism}"] = mine.wsgi_app
    return mine
