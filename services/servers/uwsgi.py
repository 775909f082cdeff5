"""uWSGI, from its wheel `pyuwsgi`: a master and its workers, forked after the import unless LAZY_APPS says otherwise.

That is uWSGI's own default. It forks without Python's hooks (`os.register_at_fork`). The first thread of each worker is
a fork of the one that imported the app, or, with LAZY_APPS, that thread itself. The wheel has Python's threads enabled,
whatever `enable-threads` says.
"""

import os
import sys

from servers import OneOf, Settings, Spread, Whole

PACKAGE = "pyuwsgi"
NEEDS_LOCK = "its wheel is built for an interpreter with the lock"
SETTINGS = {
    "WORKERS": Whole(default=1),
    "THREADS": Whole(default=1),
    "LAZY_APPS": OneOf(("0", "1"), default="0"),  # 1: each worker imports the app
    "GEVENT": Whole(default=0, least=0),  # how many greenlets a worker has; 0: it has threads
}


def spread(settings: Settings) -> Spread:
    gevent = settings["GEVENT"] > 0
    return Spread(
        fresh=["greenlets"] if gevent else [],
        workers=settings["WORKERS"],
        threads=1 if gevent else settings["THREADS"],
        forks_after_import=settings["LAZY_APPS"] == "0",
        serves_where_imported=not gevent,
    )


def run(app: str, settings: Settings) -> None:
    command = [sys.executable, "-c", "import pyuwsgi; pyuwsgi.run()"]
    command += ["--http-socket", f"fd://{os.environ['LISTEN_FD']}" if "LISTEN_FD" in os.environ else os.environ["BIND"]]
    command += ["--module", app, "--need-app", "--processes", str(settings["WORKERS"])]
    command += ["--master", "--die-on-term", "--no-orphans", "--disable-logging"]  # SIGTERM alone would reload it
    command += ["--add-header", "Connection: close"]  # uWSGI closes it without saying so
    command += ["--lazy-apps"] if settings["LAZY_APPS"] == "1" else []
    if settings["GEVENT"]:
        command += ["--gevent", str(settings["GEVENT"]), "--gevent-early-monkey-patch"]
    else:
        command += ["--threads", str(settings["THREADS"])]
    if not os.environ.get("APP"):
        command += ["--import", "uwsgi_forked"]
        command += ["--cache2", "name=statelab,items=4096,blocksize=64", "--locks", "1", "--sharedarea", "8"]
        command += ["--spooler", f"{os.environ['STATE_DIR']}/spool", "--spooler-frequency", "1", "--spooler-quiet"]
        command += ["--spooler-import", "webapp.once.uwsgi_spooler"]
    os.execv(sys.executable, command)
