"""uWSGI's workers end or hang where a thread waited for a lock when they were forked

Library: pyuwsgi 2.0.30.post1, CPython 3.13.5
Store: none
Expected: of 3 requests are answered: 3
Actual: of 3 requests are answered: 0

Why: Since CPython 3.13 a lock is one byte, and who waits for it stands in a table of the process, by an entry on the
stack of the waiting thread. After a fork those threads are gone and their stacks are given to new ones, so the child
has to forget the table, as `os.fork` does. uWSGI forks its workers without that, unless it is told to. In a worker the
next release of such a lock, or of another one that lies in the same of 257 lists, follows an entry that is not there
any more: the worker ends with a segmentation fault, or goes round in a circle and answers nobody. A thread that waits
when the app was imported is usual: a scheduler, a connection pool, a queue of log records. `--py-call-osafterfork` is
no way out: CPython 3.13 ends the worker then, because it releases a lock that nobody took before the fork.

Fix: `--py-call-uwsgi-fork-hooks`, with which uWSGI does before and after the fork what `os.fork` does. `--lazy-apps`
helps too: each worker then imports the app after its fork.
"""

import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

OPTIONS = ["--master", "--die-on-term", "--processes", "1", "--threads", "1", "--disable-logging"]


def fix():
    OPTIONS.append("--py-call-uwsgi-fork-hooks")


def app(environ, start_response):
    for lock in [threading.Lock() for _ in range(200)]:  # many, each while a thread waits for it: any list is met
        lock.acquire()
        waiting = threading.Thread(target=lock.acquire)
        waiting.start()
        time.sleep(0.002)
        lock.release()
        waiting.join()
    start_response("200 OK", [])
    return [b"done"]


def answered(address):
    try:
        return urllib.request.urlopen(address, timeout=10).read() == b"done"
    except OSError:
        return False


if "--fixed" in sys.argv:
    fix()
if __name__ != "__main__":  # imported by uWSGI, before it forks
    for _ in range(100):
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    time.sleep(0.5)
else:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        command = [sys.executable, "-c", "import pyuwsgi; pyuwsgi.run()", "--http-socket", f"fd://{listener.fileno()}"]
        command += ["--pythonpath", str(Path(__file__).parent), "--module", f"{Path(__file__).stem}:app", *OPTIONS]
        server = subprocess.Popen(command, close_fds=False, stderr=subprocess.DEVNULL)
        times = sum(answered(f"http://127.0.0.1:{listener.getsockname()[1]}/") for _ in range(3))
        server.terminate()
    expected, actual = "of 3 requests are answered: 3", f"of 3 requests are answered: {times}"
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
