"""The version is part of the key: `GET` version, then `GET` key and version; `INCR` version after an update.

People call it clumsy; nothing has to be deleted, so nothing can come too late: a value that was read before the update
is stored under a version that no request asks for any more. Requests that miss at the same time still all compute the
value.
"""

from webapp import stores
from webapp.cache import truth
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

SECONDS = 300


def write(key: str, value: int) -> int:
    truth.update(key, value)
    stores.redis().incr(f"{key}~version")
    return value


def read(key: str, window: Window) -> truth.Answer:
    redis = stores.redis()
    version = int(redis.get(f"{key}~version") or 0)  # before the row is read: afterwards it might be too new
    cached = redis.get(f"{key}~{version}")
    if cached is None:
        value = truth.compute(key, window)
        redis.set(f"{key}~{version}", value, ex=SECONDS)
        return truth.answer(value)
    return truth.answer(int(cached))
