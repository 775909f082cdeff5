"""gunicorn's gevent worker without `monkey.patch_all()`, as in an app that starts gevent's own server itself."""

import socket

from gevent import socket as gevent_socket
from gunicorn.workers.ggevent import GeventWorker


class UnpatchedWorker(GeventWorker):  # type: ignore[misc]
    """Uses gevent to accept and read; the app itself uses Python's unpatched library."""

    def patch(self) -> None:
        self.sockets = [
            gevent_socket.socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]
