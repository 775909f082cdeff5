"""redis-py's `Lock` around `GET` and `SET`: a key that one request holds until it releases it or the lease ends.

People believe that the holder of the lock is alone; that is so as long as the lease lasts longer than the critical
section, here 30 seconds for a few milliseconds.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.errors import Refused
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

LEASE = 30.0
POLL = 0.005


def increment(key: str, window: Window) -> int:
    redis = stores.redis()
    lock = redis.lock(f"{key}~lock", timeout=LEASE, sleep=POLL, blocking_timeout=stores.TIMEOUT)
    if not lock.acquire():
        raise Refused(409, f"the lock was not free for {stores.TIMEOUT} seconds")
    try:
        value = int(redis.get(key) or 0)
        window()
        redis.set(key, value + 1)
        return value + 1
    finally:
        lock.release()


def read(key: str) -> int:
    return int(stores.redis().get(key) or 0)
