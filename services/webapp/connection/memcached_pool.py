"""`pymemcache.PooledClient`, made at the first use in each process: a call has a socket to itself.

People use it for speed; it also makes a client that threads may share.
"""

from webapp import stores
from webapp.claims import PROCESS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", store="memcached")


pool = stores.per_process(stores.memcached_pool)


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_memcached(pool(), key, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_memcached(key, value)


def left(key: str) -> list[int]:
    return [census.at_memcached(), pool().client_pool.max_size]
