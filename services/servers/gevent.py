"""gevent's own `WSGIServer`: one process, and a greenlet for each connection. It patches before the app is imported."""

from servers import Settings, Spread, Whole, listener, load_app

PACKAGE = "gevent"
SETTINGS: dict[str, Whole] = {}


def spread(settings: Settings) -> Spread:
    return Spread(fresh=["greenlets"])


def run(app: str, settings: Settings) -> None:
    from gevent import monkey

    monkey.patch_all()
    from gevent.pywsgi import WSGIServer

    WSGIServer(listener(), load_app(app), log=None).serve_forever()
