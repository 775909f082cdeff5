"""The same `add` by pymemcache's client with its defaults, which does not wait for memcached's answer.

People trust the True it returns; it returns True to everybody, whether the key was there or not.
"""

import time
from typing import TYPE_CHECKING, NoReturn

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, Claims
from webapp.lock.section import BUSY, POLL, WAIT, Answer, not_yours, section
from webapp.settings import SETTINGS
from webapp.window import Window

if TYPE_CHECKING:
    from pymemcache.client.base import PooledClient

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=NOTHING, survives="server", store="memcached")


@stores.per_process
def client() -> "PooledClient":
    from pymemcache.client.base import PooledClient

    assert SETTINGS.memcached
    return PooledClient(SETTINGS.memcached, connect_timeout=stores.TIMEOUT, timeout=stores.TIMEOUT)


def work(key: str, window: Window) -> Answer:
    memcached = client()
    deadline = time.monotonic() + WAIT
    while not memcached.add(key, 1):
        if time.monotonic() > deadline:
            return BUSY
        time.sleep(POLL)
    try:
        return section(window)
    finally:
        memcached.delete(key)


def release(key: str) -> NoReturn:
    raise not_yours(key)
