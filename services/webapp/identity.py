"""Who answers a request: host, pid, thread, greenlet, and a boot id that is new at each process start."""

import itertools
import json
import os
import secrets
import socket
import sys
import threading
from collections.abc import MutableMapping
from typing import Any
from weakref import WeakKeyDictionary

_boot = secrets.token_hex(8)
_greenlets: MutableMapping[Any, int] = WeakKeyDictionary()
_numbers = itertools.count(1)


def _renew_boot() -> None:
    global _boot
    _boot = secrets.token_hex(8)


os.register_at_fork(after_in_child=_renew_boot)


def _greenlet_id() -> int:
    """A number that is never given again, which an `id()` is; 0 where gevent is not in use."""
    gevent = sys.modules.get("gevent")
    return _greenlets.setdefault(gevent.getcurrent(), next(_numbers)) if gevent else 0


def served_by() -> str:
    """The `X-Served-By` value: one JSON object, as a history's `served_by` has it."""
    return json.dumps(
        {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "thread": threading.get_native_id(),
            "greenlet": _greenlet_id(),
            "boot": _boot,
        },
        separators=(",", ":"),
    )
