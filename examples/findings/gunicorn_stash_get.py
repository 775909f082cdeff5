"""gunicorn's `stash.get` raises for what is missing instead of answering the default

Library: gunicorn 27.0.1
Store: gunicorn's own, in its dirty arbiter
Expected: stash.get("sessions", "nobody", "the default") answers: 'the default'
Actual: stash.get("sessions", "nobody", "the default") answers: StashError('Key not found: nobody')

Why: The arbiter names the error in `error.error_type`; `DirtyError.to_dict()`, which makes the message for the worker,
sends the name of the class instead, so the client never sees the `StashKeyNotFoundError` that it answers the default
for. `table[key]` and `table.get(key)` of a `StashTable` fail in the same way.

Fix: `to_dict()` sends `error_type` where the error has one.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time

# This file is its own gunicorn configuration: the question is asked in a worker, as soon as that is up.
bind = f"unix:{tempfile.gettempdir()}/finding-{os.getpid()}.sock"
wsgi_app = "wsgiref.simple_server:demo_app"
dirty_apps, dirty_workers = ["gunicorn.dirty:DirtyApp"], 1
proc_name, control_socket_disable, loglevel = f"finding-{os.getpid()}", True, "critical"
QUESTION = 'stash.get("sessions", "nobody", "the default") answers: '


def fix():
    from gunicorn.dirty.errors import DirtyError

    original = DirtyError.to_dict
    DirtyError.to_dict = lambda self: original(self) | {"error_type": getattr(self, "error_type", type(self).__name__)}


def is_up(stash):
    try:
        return stash.tables() is not None
    except stash.StashError:
        return False


def post_worker_init(worker):
    from gunicorn.dirty import stash

    while not is_up(stash):
        time.sleep(0.01)
    try:
        answer = stash.get("sessions", "nobody", "the default")
    except stash.StashError as error:
        answer = error
    print(f"{QUESTION}{answer!r}", flush=True)
    os.kill(worker.ppid, signal.SIGTERM)


if "FIXED" in os.environ:
    fix()
if __name__ == "__main__":
    os.environ |= {"FIXED": "1"} if "--fixed" in sys.argv else {}
    command = [sys.executable, "-m", "gunicorn", "-c", __file__]
    actual = subprocess.run(command, stdout=subprocess.PIPE, text=True).stdout.strip()
    expected = f"{QUESTION}{'the default'!r}"
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
