"""One `pymemcache.Client` for the process, opened at its first use.

People believe that a whole app can use one client; it is one socket, and two requests that wait for replies on it take
each other's. The client notices a value of another key, and the request fails. Then the client opens a new connection,
over which the other requests go on, whatever is still under way over the old one.
"""

from typing import TYPE_CHECKING

from webapp import stores
from webapp.claims import NOTHING, PROCESS, SOCKETS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from pymemcache.client.base import Client

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    fails_across=PROCESS - {"requests"},
    timed=True,
    switches_inside=SOCKETS,
    survives="request",
    store="memcached",
)


@stores.per_process
def client() -> "Client":
    return opening.memcached()


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_memcached(client(), key, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_memcached(key, value)


def left(key: str) -> list[int]:
    return [census.at_memcached(), 1]
