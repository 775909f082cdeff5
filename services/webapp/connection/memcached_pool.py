"""`pymemcache.PooledClient`, made at the first use in each process: a call has a socket to itself.

People think of it for speed; it is what makes a client that threads may share.
"""

from webapp import stores
from webapp.claims import NOTHING
from webapp.claims import REQUEST
from webapp.claims import Claims
from webapp.connection import conversation
from webapp.connection import opening
from webapp.window import Window

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, store="memcached")


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_memcached(stores.memcached(), key, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_memcached(key, value)
