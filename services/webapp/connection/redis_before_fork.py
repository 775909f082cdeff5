"""One connection of redis-py, opened when the app is made: before the fork, where the server makes the app first.

People open it at the top of a module; processes that were forked afterwards read from the same socket.
"""

import contextlib
from typing import TYPE_CHECKING

from flask import Flask

from webapp.claims import HOST, NOTHING, PROCESS, SOCKETS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from redis.connection import ConnectionInterface

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    inherited=frozenset({"processes"}),
    fails_across=HOST - {"requests"},
    timed=True,
    switches_inside=SOCKETS,
    survives="request",
    store="redis",
)

NAME = census.name("redis-before-fork")

opened: list["ConnectionInterface"] = []


def init_app(app: Flask) -> None:
    with contextlib.suppress(Exception):  # a store that is down must not stop the app
        opened.append(opening.redis(NAME))


def echo(key: str, window: Window, value: int) -> int | None:
    if not opened:
        opened.append(opening.redis(NAME))
    return conversation.over_redis(opened[0], window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_redis(value)


def left(key: str) -> list[int]:
    return [census.at_redis(NAME), 1]
