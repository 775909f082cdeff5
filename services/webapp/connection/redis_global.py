"""One connection of redis-py for the process, without a client and its pool, opened at the first use.

People expect a connection to match replies to requests; it gives the next reply to the request that reads next, and two
requests that wait at once break the connection.
"""

from typing import TYPE_CHECKING

from webapp import stores
from webapp.claims import NOTHING, PROCESS, SOCKETS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from redis.connection import ConnectionInterface

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    fails_across=PROCESS - {"requests"},
    timed=True,
    switches_inside=SOCKETS,
    survives="request",
    store="redis",
)

NAME = census.name("redis-global")


@stores.per_process
def connection() -> "ConnectionInterface":
    return opening.redis(NAME)


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_redis(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_redis(value)


def left(key: str) -> list[int]:
    return [census.at_redis(NAME), 1]
