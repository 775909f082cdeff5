"""The system under test: one Flask app that keeps the same state in many places. It never judges itself."""

import gc

from flask import Flask

from webapp import stores
from webapp.catalogue import WORKLOADS
from webapp.errors import register_errors
from webapp.settings import SETTINGS
from webapp.views import register_views


def create_app() -> Flask:
    """The app, ready to serve under any WSGI server."""
    gc.disable()  # imported objects stay, and scanning them again and again takes an eighth of the start
    stores.import_libraries()
    app = Flask(__name__)
    app.json.compact = True  # type: ignore[attr-defined]
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the tables have an order
    register_views(app)
    register_errors(app)
    for workload in WORKLOADS.values():
        for mechanism in workload.mechanisms.values():
            mechanism.init_app(app)
    if SETTINGS.server != "none":
        gc.freeze()  # no scan at the end either: it takes each process more than half a second
    gc.enable()
    return app
