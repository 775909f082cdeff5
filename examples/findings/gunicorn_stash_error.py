"""gunicorn's stash cannot give back a dictionary with the key "error"

Library: gunicorn 27.0.1
Store: gunicorn's own, in its dirty arbiter
Expected: after stash.put of {'error': 1}, stash.get answers: {'error': 1}
Actual: after stash.put of {'error': 1}, stash.get answers: StashError("'int' object has no attribute 'title'")

Why: The arbiter tells "not found" to itself in the same variable as the value that was found: a dictionary with a key
`error`. It takes a stored value of that shape for its own message. `put` accepts what `get` then cannot return.

Fix: A value that was found is answered as it is; only what was not found becomes an error.
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
REPORT = {"error": 1}
QUESTION = f"after stash.put of {REPORT}, stash.get answers: "


def fix():
    from gunicorn.dirty.arbiter import DirtyArbiter
    from gunicorn.dirty.protocol import STASH_OP_GET, DirtyProtocol, make_response

    original = DirtyArbiter.handle_stash_request

    async def handle(self, message, writer):
        values = self.stash_tables.get(message.get("table"), {})
        if message.get("op") == STASH_OP_GET and message.get("key") in values:
            answer = make_response(message.get("id"), values[message["key"]])
            return await DirtyProtocol.write_message_async(writer, answer)
        return await original(self, message, writer)

    DirtyArbiter.handle_stash_request = handle


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
        stash.put("reports", "last", REPORT)
        answer = stash.get("reports", "last")
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
    expected = f"{QUESTION}{REPORT}"
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
