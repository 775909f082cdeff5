"""A gunicorn that starts after a crash kills whoever has the pid by now

Library: gunicorn 27.0.1
Store: none
Expected: a process of the same user that was given the pid of a dead dirty arbiter is: alive
Actual: a process of the same user that was given the pid of a dead dirty arbiter is: gone

Why: What is killed with `kill -9`, or ends with its container, leaves the dirty arbiter's pid file in the temporary
directory. The next gunicorn of the same app ends the process with that pid as an orphan, if it belongs to the same
user. A pid is given again, in a container that is restarted and keeps its files at once, since all pids there are small
numbers. (The file is written here as the crash leaves it, since nobody can choose a pid.)

Fix: Look at the process before ending it: a dirty arbiter is a gunicorn. (Avoided by a temporary directory that does
not outlive the machine or the container.)
"""

import os
import signal
import subprocess
import sys
import tempfile

bind = f"unix:{tempfile.gettempdir()}/finding-{os.getpid()}.sock"
wsgi_app, proc_name = "wsgiref.simple_server:demo_app", "shop"
dirty_apps, dirty_workers, control_socket_disable = ["gunicorn.dirty:DirtyApp"], 1, True


def fix():
    import gunicorn.dirty.pidfile as pidfile

    original = pidfile.process_owned_by_us

    def gunicorn_of_ours(pid):
        with open(f"/proc/{pid}/cmdline") as command:
            return original(pid) and "gunicorn" in command.read()

    pidfile.process_owned_by_us = gunicorn_of_ours


if "FIXED" in os.environ:
    fix()
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"TMPDIR": folder} | ({"FIXED": "1"} if "--fixed" in sys.argv else {})
        stranger = subprocess.Popen(["sleep", "60"])
        with os.fdopen(os.open(f"{folder}/gunicorn-dirty-shop.pid", os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
            file.write(str(stranger.pid))
        command = [sys.executable, "-m", "gunicorn", "-c", __file__]
        server = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
        next(line for line in server.stderr if b"Dirty arbiter listening" in line)
        state = "alive" if stranger.poll() is None else "gone"
        stranger.kill()
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()
    text = "a process of the same user that was given the pid of a dead dirty arbiter is:"
    expected, actual = f"{text} alive", f"{text} {state}"
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
