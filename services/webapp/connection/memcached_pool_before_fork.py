"""`pymemcache.PooledClient`, used when the app is made: before the fork, where the server makes the app first.

People trust this pool as they may trust redis-py's; this one does not look at process ids, so all forked processes use
the socket that was in it, at the same time.
"""

import contextlib
from typing import TYPE_CHECKING

from flask import Flask

from webapp import stores
from webapp.claims import PROCESS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from pymemcache.client.base import PooledClient

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=PROCESS,
    inherited=frozenset({"processes"}),
    fails_across=frozenset({"processes"}),
    timed=True,
    notices=frozenset({"processes"}),
    survives="request",
    store="memcached",
)

pools: list["PooledClient"] = []


def init_app(app: Flask) -> None:
    pools.append(stores.memcached_pool())
    with contextlib.suppress(OSError):  # a store that is down must not stop the app
        pools[0].version()


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_memcached(pools[0], key, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_memcached(key, value)


def left(key: str) -> list[int]:
    return [census.at_memcached(), pools[0].client_pool.max_size]
