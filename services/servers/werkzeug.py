"""Werkzeug's development server, configured as `app.run(threaded=...)` or `app.run(processes=...)` do it."""

from servers import OneOf, Settings, Spread, Whole, listener, load_app

PACKAGE = "werkzeug"
SETTINGS = {"WORKER_CLASS": OneOf(("single", "threaded", "forking")), "WORKERS": Whole(default=1)}


def spread(settings: Settings) -> Spread:
    return {
        "single": Spread(serves_where_imported=True),
        "threaded": Spread(fresh=["threads"]),
        "forking": Spread(
            fresh=["processes"], workers=settings["WORKERS"], forks_after_import=True, serves_where_imported=True
        ),
    }[settings["WORKER_CLASS"]]


def run(app: str, settings: Settings) -> None:
    from werkzeug.serving import make_server

    worker_class, accepting = settings["WORKER_CLASS"], listener()
    host, port = accepting.getsockname()
    make_server(
        host,
        port,
        load_app(app),
        threaded=worker_class == "threaded",
        processes=settings["WORKERS"] if worker_class == "forking" else 1,
        fd=accepting.fileno(),
    ).serve_forever()
