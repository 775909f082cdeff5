"""A second gunicorn takes the control socket of the first one away

Library: gunicorn 27.0.1
Store: none
Expected: while both run gunicornc reaches the first one; after the second has ended: the first one
Actual: while both run gunicornc reaches the second one; after the second has ended: nobody

Why: The control socket is on by default, and its default path is the same for every gunicorn of a user. A server that
starts removes whatever is there and binds its own, although the other one is alive and listening; when it ends, or
forks a worker, it removes the path, whosever it is. `gunicornc shutdown` so ends the server that started last, and no
error is logged anywhere.

Fix: Whoever finds a server that answers at its path takes a path of its own, with its pid. (To give each server its
`--control-socket`, or `--no-control-socket`, avoids it.)
"""

import os
import socket
import subprocess
import sys
import tempfile

bind = f"unix:{tempfile.gettempdir()}/finding-{os.getpid()}.sock"  # this file is the configuration of both gunicorns
wsgi_app = "wsgiref.simple_server:demo_app"


def fix():
    from gunicorn.ctl.server import ControlSocketServer

    original = ControlSocketServer.__init__

    def begin(self, arbiter, path, *arguments):
        with socket.socket(socket.AF_UNIX) as client:
            taken = client.connect_ex(path) == 0
        original(self, arbiter, f"{path}.{arbiter.pid}" if taken else path, *arguments)

    ControlSocketServer.__init__ = begin


def reached():
    from gunicorn.ctl.client import ControlClient, ControlClientError

    try:
        with ControlClient(f"{home}/.gunicorn/gunicorn.ctl") as client:
            return servers[client.send_command("show stats")["pid"]]
    except ControlClientError:
        return "nobody"


def start(name):
    server = subprocess.Popen([sys.executable, "-m", "gunicorn", "-c", __file__], stderr=subprocess.PIPE)
    servers[server.pid] = name
    for line in server.stderr:
        if b"Control socket listening" in line:
            return server


if "FIXED" in os.environ:
    fix()
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"HOME": home, "XDG_RUNTIME_DIR": ""} | ({"FIXED": "1"} if "--fixed" in sys.argv else {})
        servers = {}
        first, second = start("the first one"), start("the second one")
        both = reached()
        second.terminate()
        second.wait()
        alone = reached()
        first.terminate()
        first.wait()
    text = "while both run gunicornc reaches {}; after the second has ended: {}"
    expected, actual = text.format("the first one", "the first one"), text.format(both, alone)
    print(f"expected: {expected}\nactual: {actual}")
    sys.exit(expected != actual)
