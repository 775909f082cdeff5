"""redis-py's `Lock`: a key with a token of its holder and a lease, here of two seconds for a section of milliseconds.

People believe that the holder of the lock is alone; that is so as long as the lease lasts longer than the critical
section. A holder that is killed keeps the lock until the lease ends.
"""

from typing import NoReturn

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.lock.section import BUSY, POLL, WAIT, Answer, not_yours, section
from webapp.window import Window

LEASE_MS = 2000

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis", lease_ms=LEASE_MS)


def work(key: str, window: Window) -> Answer:
    lock = stores.redis().lock(key, timeout=LEASE_MS / 1000, sleep=POLL, blocking_timeout=WAIT)
    if not lock.acquire():
        return BUSY
    try:
        return section(window)
    finally:
        lock.release()


def release(key: str) -> NoReturn:
    raise not_yours(key)
