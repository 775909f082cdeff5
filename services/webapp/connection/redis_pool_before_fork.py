"""A connection pool of redis-py, filled when the app is made: before the fork, where the server makes the app first.

People fear the fork here most, from older versions; the pool compares process ids and opens new connections in the
child. Each request has a connection to itself.
"""

import contextlib
from functools import cache
from typing import TYPE_CHECKING

from flask import Flask

from webapp.claims import PROCESS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from redis import ConnectionPool

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", store="redis")

NAME = census.name("redis-pool-before-fork")


@cache
def pool() -> "ConnectionPool":
    return opening.redis_pool(NAME)


def init_app(app: Flask) -> None:
    with contextlib.suppress(Exception):  # a store that is down must not stop the app
        pool().release(pool().get_connection())


def echo(key: str, window: Window, value: int) -> int | None:
    connection = pool().get_connection()
    try:
        return conversation.over_redis(connection, window, value)
    finally:
        pool().release(connection)


def probe(key: str, value: int) -> int | None:
    return opening.probe_redis(value)


def left(key: str) -> list[int]:
    return [census.at_redis(NAME), pool().max_connections]
