"""A connection of redis-py on `flask.g`, opened at the first use in a request and closed by a teardown function.

People know the pattern from databases and carry it over; it is as safe here, and costs a new connection for each
request.
"""

from typing import TYPE_CHECKING

from flask import Flask, g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.connection import census, conversation, opening
from webapp.own_app import own_app
from webapp.window import Window

if TYPE_CHECKING:
    from redis.connection import ConnectionInterface

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, store="redis")

NAME = census.name("redis-on-g")


def connection() -> "ConnectionInterface":
    if "redis" not in g:
        g.redis = opening.redis(NAME)
    opened: ConnectionInterface = g.redis
    return opened


def close(error: BaseException | None = None) -> None:
    if "redis" in g:
        g.pop("redis").disconnect()


def init_app(app: Flask) -> None:
    mine = own_app(app, "connection", "redis-on-g")
    mine.teardown_appcontext(close)


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_redis(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_redis(value)


def left(key: str) -> list[int]:
    return [census.at_redis(NAME), 0]
