"""uvicorn, an ASGI server, with a2wsgi: processes that each import the app, and a2wsgi's pool of threads in each.

a2wsgi runs each request in a copy of its connection's context, as ASGI servers do.
"""

import os
import sys
from pathlib import Path

from servers import Settings, Spread, Whole

PACKAGE = "uvicorn"
FOLDER = Path(__file__).parent.parent / "asgi"
SETTINGS = {"WORKERS": Whole(default=1), "THREADS": Whole(default=10)}
"""THREADS: those of a2wsgi in each process; ten is its default."""


def spread(settings: Settings) -> Spread:
    return Spread(workers=settings["WORKERS"], threads=settings["THREADS"], copies_context=True)


def run(app: str, settings: Settings) -> None:
    os.environ["STATELAB_WSGI_APP"], os.environ["STATELAB_WSGI_THREADS"] = app, str(settings["THREADS"])
    os.environ["PYTHONPATH"] = os.pathsep.join([os.environ["PYTHONPATH"], str(FOLDER)])
    host, _, port = os.environ["BIND"].rpartition(":")
    command = [sys.executable, "-m", "uvicorn", "--factory", "statelab_asgi:app", "--no-access-log"]
    command += ["--fd", os.environ["LISTEN_FD"]] if "LISTEN_FD" in os.environ else ["--host", host, "--port", port]
    command += ["--workers", str(settings["WORKERS"]), "--timeout-graceful-shutdown", "3"]
    os.execv(sys.executable, command)
