"""granian: worker processes that each import the app, and blocking threads in each of them."""

import os
import sys

from servers import Settings, Spread, Whole

PACKAGE = "granian"
INHERITS_SOCKET = False
NEEDS_LOCK = "without the lock of the interpreter granian makes its workers threads of one process"
SETTINGS = {"WORKERS": Whole(default=1), "THREADS": Whole(default=1)}


def spread(settings: Settings) -> Spread:
    return Spread(workers=settings["WORKERS"], threads=settings["THREADS"])


def run(app: str, settings: Settings) -> None:
    host, _, port = os.environ["BIND"].rpartition(":")
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", port]
    command += ["--workers", str(settings["WORKERS"]), "--blocking-threads", str(settings["THREADS"])]
    command += ["--workers-kill-timeout", "3"]
    command += ["--factory"] if app.endswith("()") else []
    os.execv(sys.executable, [*command, app.removesuffix("()")])
