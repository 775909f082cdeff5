"""A connection pool of redis-py, made at the first use in each process: a request has a connection to itself.

People rarely see it, because `redis.Redis` has one inside; so threads may share such a client.
"""

from typing import TYPE_CHECKING

from webapp import stores
from webapp.claims import PROCESS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from redis import ConnectionPool

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", store="redis")

NAME = census.name("redis-pool")


@stores.per_process
def pool() -> "ConnectionPool":
    return opening.redis_pool(NAME)


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
