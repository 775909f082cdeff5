"""Who answers a request: host, pid, thread, greenlet, and a boot id that is new at each process start.

HOST_NAME in the environment replaces the host's name, where one machine plays two hosts.

The module imports nothing of the lab, because it is also loaded beside apps other than the lab's own (`identified/`).
"""

import itertools
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_greenlets: MutableMapping[Any, int] = WeakKeyDictionary()
_numbers = itertools.count(1)
_renewing = threading.Lock()


class _Thread(threading.local):
    """Keeps the thread's id, because asking for it is a system call; under gevent there is one for each greenlet."""

    def __init__(self) -> None:
        self.before = f"{_before}{threading.get_native_id()}"


def _new_process() -> None:
    """Builds once the text that stays the same in a process, and in each of its threads."""
    global _pid, _before, _after, _thread
    _pid = os.getpid()
    host = os.environ.get("HOST_NAME") or socket.gethostname()
    _before = f'{{"host":{json.dumps(host)},"pid":{_pid},"thread":'
    _after = f',"boot":"{secrets.token_hex(8)}"}}'
    _thread = _Thread()


_pid: int
_before: str
_after: str
_thread: _Thread
_new_process()
os.register_at_fork(after_in_child=_new_process)


def _greenlet_id() -> int:
    """A number that is never reused (an `id()` would be); 0 without gevent."""
    gevent = sys.modules.get("gevent")
    return _greenlets.setdefault(gevent.getcurrent(), next(_numbers)) if gevent else 0


def served_by() -> str:
    """The `X-Served-By` value: one JSON object, in the form of a history's `served_by`."""
    if os.getpid() != _pid:  # a server may fork without Python's hooks, as uWSGI does
        with _renewing:
            if os.getpid() != _pid:
                _new_process()
    return f'{_thread.before},"greenlet":{_greenlet_id()}{_after}'


def identified(wsgi_app: "WSGIApplication") -> "WSGIApplication":
    """Adds headers to every response: who answered, and which operation (if the request names it)."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            added = [("X-Served-By", served_by())]
            if "HTTP_X_OPERATION_ID" in environ:
                added.append(("X-Operation-Id", environ["HTTP_X_OPERATION_ID"]))
            return start_response(status, [*headers, *added], *error)

        return wsgi_app(environ, start)

    return answer
