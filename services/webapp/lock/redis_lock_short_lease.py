"""redis-py's `Lock` with a lease of one millisecond, shorter than the section.

People set a lease that is long enough on a quiet day. When it ends, the next one gets the lock, and the holder does
not notice until it releases a lock that is no longer its own.
"""

import contextlib
from typing import NoReturn

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.lock.section import BUSY, POLL, WAIT, Answer, not_yours, section
from webapp.window import Window

LEASE_MS = 1

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis", lease_ms=LEASE_MS)


def work(key: str, window: Window) -> Answer:
    from redis.exceptions import LockNotOwnedError

    lock = stores.redis().lock(key, timeout=LEASE_MS / 1000, sleep=POLL, blocking_timeout=WAIT)
    if not lock.acquire():
        return BUSY
    stamps = section(window)
    with contextlib.suppress(LockNotOwnedError):  # the work is done; that others worked too cannot be undone
        lock.release()
    return stamps


def release(key: str) -> NoReturn:
    raise not_yours(key)
