"""redis-py's `Lock` with a lease of one millisecond around look and take: it ends while the holder still works.

People believe that the holder of the lock is alone. When the lease ends, the next request gets the lock, while the
first goes on and writes; redis-py notices this only at the release, and here only logs it
(`raise_on_release_error=False`).
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

LEASE_MS = 1

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis", lease_ms=LEASE_MS)

POLL = 0.001


def stock(key: str, window: Window, value: int) -> int:
    window()
    stores.redis().set(key, value)
    return value


def buy(key: str, window: Window) -> Answer:
    redis = stores.redis()
    with redis.lock(f"{key}~lock", timeout=LEASE_MS / 1000, sleep=POLL, raise_on_release_error=False):
        left = read(key)
        if left < 1:
            return "sold-out"
        window()
        redis.set(key, left - 1)
        return "ok"


def read(key: str) -> int:
    left = stores.redis().get(key)
    if left is None:
        raise unknown_article(key)
    return int(left)
