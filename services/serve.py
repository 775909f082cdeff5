"""Starts the server that the environment describes, with the app that it names.

SERVER, WORKER_CLASS, WORKERS, THREADS, PRELOAD   the deployment (deployments/<name>.env)
APP, APP_DIR                 WSGI import string (default: the lab's own app) and the folder it is found in
MAX_REQUESTS                 after how many requests gunicorn replaces a worker (default: never)
GEVENT_PATCH                 when gevent patches the standard library: early (the default), late or never
BIND or LISTEN_FD            host:port, or the number of an inherited listening socket
STATE_DIR                    folder for files, SQLite databases and sockets
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
OWN_APP = "webapp:create_app()"


def load_app(name: str) -> Any:
    """The WSGI app that an import string names: `module:attribute`, or `module:factory()`."""
    module, _, attribute = name.partition(":")
    found = getattr(import_module(module), attribute.removesuffix("()") or "app")
    return found() if attribute.endswith("()") else found


def start_keeper(state_dir: Path) -> None:
    """Starts the process that keeps what no worker of this deployment may own, and waits for its socket."""
    address = state_dir / f"keeper-{os.getpid()}.sock"
    address.unlink(missing_ok=True)  # of a dead process whose pid was given again
    os.environ["KEEPER_ADDRESS"] = str(address)
    os.environ["KEEPER_KEY"] = secrets.token_hex(32)
    command = [sys.executable, str(HERE / "keeper.py"), str(os.getpid())]
    keeper = subprocess.Popen(command, start_new_session=True)  # it clears up after a server that was killed
    while not address.exists() and keeper.poll() is None:
        time.sleep(0.01)


def run_gunicorn(app: str) -> None:
    """Becomes gunicorn, so that signals and process ids are those of a gunicorn that somebody started by hand."""
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", str(HERE / "gunicorn.conf.py"), app])


def run_werkzeug(app: str) -> None:
    """Serves with Werkzeug's development server, configured as `app.run(threaded=...)` or `(processes=...)` do."""
    from werkzeug.serving import make_server

    os.chdir(os.environ["APP_DIR"])  # where gunicorn goes as well: an app may keep files beside itself
    worker_class = os.environ["WORKER_CLASS"]
    host, _, port = os.environ.get("BIND", "127.0.0.1:8000").rpartition(":")
    listen_fd = os.environ.get("LISTEN_FD")
    make_server(
        host,
        int(port),
        load_app(app),
        threaded=worker_class == "threaded",
        processes=int(os.environ["WORKERS"]) if worker_class == "forking" else 1,
        fd=int(listen_fd) if listen_fd else None,
    ).serve_forever()


RUNNERS = {"gunicorn": run_gunicorn, "werkzeug": run_werkzeug}


def main() -> None:
    app = os.environ.setdefault("APP", OWN_APP)
    app_dir = os.environ.setdefault("APP_DIR", str(HERE))
    sys.path.insert(0, app_dir)
    os.environ["PYTHONPATH"] = app_dir
    state_dir = Path(os.environ.get("STATE_DIR") or tempfile.mkdtemp(prefix="statelab-"))
    os.environ["STATE_DIR"] = os.environ["TMPDIR"] = str(state_dir)
    if app == OWN_APP:
        start_keeper(state_dir)
    server = os.environ.get("SERVER", "")
    if server not in RUNNERS:
        sys.exit(f"serve: SERVER is {server!r}; valid are {', '.join(sorted(RUNNERS))}")
    RUNNERS[server](app)


if __name__ == "__main__":
    main()
