"""Starts the server that the environment describes, with the app that it names.

SERVER and its settings      the deployment (deployments/<name>.env); servers/<server>.py says which settings it reads
APP, APP_DIR                 WSGI import string (default: the lab's own app) and the folder it is found in
BIND or LISTEN_FD            host:port (default: 127.0.0.1:8000), or the number of an inherited listening socket
STATE_DIR                    folder for files, SQLite databases and sockets
SERVER_DIR                   folder for the server's own files (default: STATE_DIR)
"""

import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import servers

HERE = Path(__file__).parent


def start_manager_process(state_dir: Path) -> None:
    """Starts the manager process of this deployment and waits for its socket."""
    address = state_dir / f"manager-{os.getpid()}.sock"
    address.unlink(missing_ok=True)  # left by an ended process with the same pid
    os.environ["MANAGER_ADDRESS"] = str(address)
    os.environ["MANAGER_KEY"] = secrets.token_hex(32)
    command = [sys.executable, str(HERE / "manager_process.py"), str(os.getpid())]
    manager = subprocess.Popen(
        command, start_new_session=True
    )  # a group of its own: it cleans up after a killed server
    while not address.exists() and manager.poll() is None:
        time.sleep(0.01)


def main() -> None:
    try:
        server = servers.find(os.environ.get("SERVER"))
        settings = servers.read(server, os.environ)
    except servers.BadSetting as error:
        sys.exit(f"serve: {error}")
    if os.environ.get("FREE_THREADED") == "1" and getattr(sys, "_is_gil_enabled", lambda: True)():
        sys.exit(f"serve: FREE_THREADED=1 needs a free-threaded CPython, and {sys.executable} has its lock")
    app = os.environ.get("APP")
    app_dir = os.environ.setdefault("APP_DIR", str(HERE))
    os.environ.setdefault("BIND", "127.0.0.1:8000")
    os.environ["PYTHONPATH"] = servers.find_app_in(app_dir, own=not app)
    os.chdir(app_dir)  # an app may have files in its folder
    state_dir = Path(os.environ.get("STATE_DIR") or tempfile.mkdtemp(prefix="statelab-"))
    os.environ["STATE_DIR"] = os.environ["TMPDIR"] = str(state_dir)
    if not app:
        start_manager_process(state_dir)
    server.run(app or servers.OWN_APP, settings)


if __name__ == "__main__":
    main()
