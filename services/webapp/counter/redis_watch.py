"""Redis `WATCH`, read, `MULTI`/`EXEC`: the write fails if another request wrote since the read, and is tried again.

People believe that `MULTI` is a lock; it is not, and only `WATCH` notices another write. The count is right in every
deployment, but under contention the work is done many times.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.errors import Refused
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")


def increment(key: str, window: Window) -> int:
    from redis import WatchError

    with stores.redis().pipeline() as pipe:
        for _ in range(stores.TRIES):
            pipe.watch(key)
            value = int(pipe.get(key) or 0)
            window()
            pipe.multi()
            pipe.set(key, value + 1)
            try:
                pipe.execute()
            except WatchError:
                continue
            return value + 1
    raise Refused(409, f"overtaken by others {stores.TRIES} times")


def read(key: str) -> int:
    return int(stores.redis().get(key) or 0)
