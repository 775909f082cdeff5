"""Waitress: one process, and a pool of threads that serve the requests in the order in which they came."""

from servers import Settings, Spread, Whole, listener, load_app

PACKAGE = "waitress"
SETTINGS = {"THREADS": Whole(default=4)}


def spread(settings: Settings) -> Spread:
    return Spread(threads=settings["THREADS"])


def run(app: str, settings: Settings) -> None:
    import waitress

    waitress.serve(load_app(app), sockets=[listener()], threads=settings["THREADS"])
