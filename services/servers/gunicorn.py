"""gunicorn, started by its usual command line, which replaces this process."""

import os
import sys
from pathlib import Path

from servers import OneOf, Settings, Spread, Whole

PACKAGE = "gunicorn"
CONFIG = Path(__file__).parent.parent / "gunicorn_conf.py"
SETTINGS = {
    "WORKER_CLASS": OneOf(("sync", "gthread", "gevent"), default="sync"),
    "WORKERS": Whole(default=1),
    "THREADS": Whole(default=1),
    "PRELOAD": OneOf(("0", "1"), default="0"),
    "MAX_REQUESTS": Whole(default=0, least=0),  # after how many a worker is replaced; 0: never
    "GEVENT_PATCH": OneOf(("early", "late", "never"), default="early"),
}
"""GEVENT_PATCH: when gevent patches the standard library: `early`, before anything else is imported; `late`, as
gunicorn's worker does it when it starts (with --preload that is after the app was imported); or `never`."""


def spread(settings: Settings) -> Spread:
    preload, recycled = settings["PRELOAD"] == "1", settings["MAX_REQUESTS"] > 0
    gevent, patch = settings["WORKER_CLASS"] == "gevent", settings["GEVENT_PATCH"]
    one_by_one = {
        "processes": recycled and settings["WORKERS"] == 1,  # a worker has ended before the next one starts
        "greenlets": gevent and patch == "never",  # code that is not patched never switches to another greenlet
    }
    return Spread(
        fresh=["greenlets"] if gevent else [],
        workers=settings["WORKERS"],
        threads=settings["THREADS"],
        recycled=recycled,
        in_turn=[boundary for boundary, in_turn in one_by_one.items() if in_turn],
        forks_after_import=preload,
        unpatched_at_import=gevent and (patch == "never" or (patch == "late" and preload)),
        serves_where_imported=settings["WORKER_CLASS"] == "sync" and settings["THREADS"] == 1,
    )


def run(app: str, settings: Settings) -> None:
    worker_class, patch = settings["WORKER_CLASS"], settings["GEVENT_PATCH"]
    patched = worker_class == "gevent" and patch == "early"
    start = ["gevent.monkey", "--module", "gunicorn"] if patched else ["gunicorn"]
    command = [sys.executable, "-m", *start]
    command += ["--bind", f"fd://{os.environ['LISTEN_FD']}" if "LISTEN_FD" in os.environ else os.environ["BIND"]]
    command += ["--worker-class", worker_class] if patch != "never" else []  # otherwise CONFIG names the class
    command += ["--workers", str(settings["WORKERS"]), "--threads", str(settings["THREADS"])]
    command += ["--max-requests", str(settings["MAX_REQUESTS"])]
    command += ["--preload"] if settings["PRELOAD"] == "1" else []
    command += ["--name", f"statelab-{os.environ.get('DEPLOYMENT', 'app')}-{os.getpid()}"]
    command += ["--config", str(CONFIG)]
    command += ["--no-control-socket"]  # all of a user's gunicorns share its default path
    command += ["--worker-tmp-dir", "/dev/shm"] if os.path.isdir("/dev/shm") else []
    command += ["--graceful-timeout", "3", "--timeout", "30", "--backlog", "1024", "--http-parser", "python"]
    if not os.environ.get("APP"):
        command += ["--dirty-app", "dirty_actor:Counters", "--dirty-workers", "1"]
    os.execv(sys.executable, [*command, app])
