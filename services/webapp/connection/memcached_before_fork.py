"""One `pymemcache.Client`, connected when the app is made: before the fork, where the server makes the app first.

People make it next to the app; it does not look at process ids, so forked processes take each other's replies.
"""

import contextlib
from typing import TYPE_CHECKING

from flask import Flask

from webapp.claims import HOST, NOTHING, PROCESS, SOCKETS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from pymemcache.client.base import Client

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    inherited=frozenset({"processes"}),
    fails_across=HOST - {"requests"},
    timed=True,
    notices=frozenset({"processes"}),
    switches_inside=SOCKETS,
    survives="request",
    store="memcached",
)

clients: list["Client"] = []


def init_app(app: Flask) -> None:
    clients.append(opening.memcached())
    with contextlib.suppress(OSError):  # a store that is down must not stop the app
        clients[0].version()


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_memcached(clients[0], key, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_memcached(key, value)


def left(key: str) -> list[int]:
    return [census.at_memcached(), 1]
