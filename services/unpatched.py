"""gunicorn's gevent worker without `monkey.patch_all()`, as an app that starts gevent's own server by hand has it."""

import socket

from gevent import socket as gevent_socket
from gunicorn.workers.ggevent import GeventWorker


class UnpatchedWorker(GeventWorker):  # type: ignore[misc]
    """Accepts and reads with gevent; whatever the app calls is what Python brings."""

    def patch(self) -> None:
        self.sockets = [
            gevent_socket.socket(listener.FAMILY, socket.SOCK_STREAM, fileno=listener.sock.detach())
            for listener in self.sockets
        ]
