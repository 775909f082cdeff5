"""gunicorn's workers never reach a dirty arbiter that was replaced

Library: gunicorn 27.0.1
Store: none
Expected: after the dirty arbiter was killed and started again, the stash answers a worker: True
Actual: after the dirty arbiter was killed and started again, the stash answers a worker: False

Why: The master starts a new dirty arbiter where the old one has ended, each in a temporary folder of its own. It tells
the path of the socket to the workers that it starts from then on; those that run keep the old one, and each of their
calls fails until they are replaced for another reason: at its time limit of 30 s, since the old arbiter's workers have
inherited the listening socket, never look whether their parent is there, and stay for ever.

Fix: A dirty arbiter that takes the place of another one listens on the same path.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# This file is its own gunicorn configuration: the question is asked in a worker, as soon as that is up.
bind = f"unix:{tempfile.gettempdir()}/finding-{os.getpid()}.sock"
wsgi_app = "wsgiref.simple_server:demo_app"
dirty_apps, dirty_workers, control_socket_disable = ["gunicorn.dirty:DirtyApp"], 1, True
proc_name, loglevel = f"finding-{os.getpid()}", "critical"
PIDFILE = Path(tempfile.gettempdir(), f"gunicorn-dirty-{proc_name}.pid")


def fix():
    from gunicorn.dirty.arbiter import DirtyArbiter

    original, paths = DirtyArbiter.__init__, []

    def begin(self, *arguments, **options):
        original(self, *arguments, **options)
        self.socket_path = paths[0] if paths else self.socket_path
        os.makedirs(os.path.dirname(self.socket_path), exist_ok=True)
        paths.append(self.socket_path)

    DirtyArbiter.__init__ = begin


def answers(where, tries):
    from gunicorn.dirty import stash

    for _ in range(tries):
        try:
            return stash.StashClient(where, timeout=1).tables() == []
        except stash.StashError:
            time.sleep(1)


def post_worker_init(worker):
    where = os.environ["GUNICORN_DIRTY_SOCKET"]
    killed = answers(where, tries=10) and PIDFILE.read_text()
    os.kill(int(killed), signal.SIGKILL)
    while not PIDFILE.exists() or PIDFILE.read_text() in ("", killed):
        time.sleep(0.1)
    print(bool(answers(where, tries=3)), flush=True)
    os.kill(worker.ppid, signal.SIGTERM)


if "FIXED" in os.environ:
    fix()
if __name__ == "__main__":
    os.environ |= {"FIXED": "1"} if "--fixed" in sys.argv else {}
    command = [sys.executable, "-m", "gunicorn", "-c", __file__]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    told = server.stdout.readline().strip()
    server.wait()
    os.killpg(server.pid, signal.SIGKILL)  # the dirty worker of the arbiter that was killed would stay for ever
    text = "after the dirty arbiter was killed and started again, the stash answers a worker:"
    print(f"expected: {text} True\nactual: {text} {told}")
    sys.exit(told != "True")
