"""Versioned keys, and a Redis lock around the computation inside which the version is read again.

People add one of the two and are surprised by the other fault; with both, nothing stale is read and no value is
computed twice at once.
"""

from webapp import stores
from webapp.cache import truth
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, single_flight=CLUSTER, survives="server", store="redis")

SECONDS = 300
LEASE = 30.0
POLL = 0.002


def write(key: str, value: int) -> int:
    truth.update(key, value)
    stores.redis().incr(f"{key}~version")
    return value


def read(key: str, window: Window) -> truth.Answer:
    redis = stores.redis()
    version = int(redis.get(f"{key}~version") or 0)
    cached = redis.get(f"{key}~{version}")
    if cached is None:
        # one lock for all versions: an update in between must not let a second request compute
        with redis.lock(f"{key}~lock", timeout=LEASE, sleep=POLL, blocking_timeout=stores.TIMEOUT):
            version = int(redis.get(f"{key}~version") or 0)
            cached = redis.get(f"{key}~{version}")
            if cached is None:
                value = truth.compute(key, window)
                redis.set(f"{key}~{version}", value, ex=SECONDS)
                return truth.answer(value)
    return truth.answer(int(cached))
