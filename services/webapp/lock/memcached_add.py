"""memcached's `add`, which only one can win, asked again and again until it does; `delete` gives the lock back.

People leave the expiry out, as here: then a holder that is killed keeps the lock until memcached is restarted.
"""

import time
from typing import NoReturn

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.lock.section import BUSY, POLL, WAIT, Answer, not_yours, section
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="memcached")


def work(key: str, window: Window) -> Answer:
    memcached = stores.memcached()
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
