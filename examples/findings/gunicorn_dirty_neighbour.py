"""A second gunicorn of the same app kills the dirty arbiter of the first

Library: gunicorn 27.0.1
Store: none
Expected: after a second gunicorn has started, the first one's dirty arbiter is: alive
Actual: after a second gunicorn has started, the first one's dirty arbiter is: gone

Why: The dirty arbiter's pid file lies in the temporary directory and is named by the process name, which is the app's
unless `--name` says otherwise. A gunicorn that starts takes whatever process is named there for the orphan of a crash
and ends it, although its master is alive. What the stash held is gone, and all that the first gunicorn's workers ask
fails from then on (`gunicorn_dirty_replaced`).

Fix: An arbiter is an orphan only if its parent is gone: its parent is no gunicorn master that still waits for it. Here
that is read from `/proc`; the master's pid in the pid file would do as well. (Avoided by a `--name` for each server.)
"""

import os
import signal
import subprocess
import sys
import tempfile

bind = f"unix:{tempfile.gettempdir()}/finding-{os.getpid()}.sock"  # this file is the configuration of both gunicorns
wsgi_app = "wsgiref.simple_server:demo_app"
dirty_apps, dirty_workers = ["gunicorn.dirty:DirtyApp"], 1
control_socket_disable = True


def fix():
    import gunicorn.dirty.pidfile as pidfile

    original = pidfile.process_owned_by_us

    def orphan_of_ours(pid):
        if not original(pid):
            return False
        with open(f"/proc/{pid}/stat") as stat:
            parent = int(stat.read().rpartition(")")[2].split()[1])
        with open(f"/proc/{parent}/cmdline") as command:
            return "gunicorn" not in command.read()

    pidfile.process_owned_by_us = orphan_of_ours


def start():
    """A gunicorn, and the pid of its dirty arbiter, as its log tells."""
    command = [sys.executable, "-m", "gunicorn", "-c", __file__]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    for line in server.stderr:
        if b"Dirty arbiter listening" in line:
            return server, int(line.split(b"[")[2].split(b"]")[0])


if "FIXED" in os.environ:
    fix()
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TMPDIR": folder} | ({"FIXED": "1"} if "--fixed" in sys.argv else {})
        (first, arbiter), (second, _) = start(), start()
        alive = os.path.exists(f"/proc/{arbiter}")
        for server in (first, second):
            os.killpg(server.pid, signal.SIGKILL)  # all of it: a dirty worker would outlive its arbiter
            server.communicate()
    expected = "after a second gunicorn has started, the first one's dirty arbiter is: alive"
    actual = f"after a second gunicorn has started, the first one's dirty arbiter is: {'alive' if alive else 'gone'}"
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
