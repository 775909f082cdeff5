"""A Redis lock around the computation, and a second look at the cache inside it; `DEL` after an update.

People expect the lock to cure both faults; it makes one request compute while the others wait. The update does not take
the lock, so a value that was read before the update is still stored after the `DEL`.
"""

from webapp import stores
from webapp.cache import truth
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    single_flight=CLUSTER,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
)

SECONDS = 300
LEASE = 30.0
POLL = 0.002


def write(key: str, value: int) -> int:
    truth.update(key, value)
    stores.redis().delete(key)
    return value


def read(key: str, window: Window) -> truth.Answer:
    redis = stores.redis()
    cached = redis.get(key)
    if cached is None:
        with redis.lock(f"{key}~lock", timeout=LEASE, sleep=POLL, blocking_timeout=stores.TIMEOUT):
            cached = redis.get(key)
            if cached is None:
                value = truth.compute(key, window)
                redis.set(key, value, ex=SECONDS)
                return truth.answer(value)
    return truth.answer(int(cached))
