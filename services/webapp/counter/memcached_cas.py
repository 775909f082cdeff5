"""memcached `gets`, then `cas`: the write fails if another request wrote since the read, and is tried again.

People expect the other requests to wait; instead they do the work again, many times under contention. The count is
right in every deployment.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.errors import Refused
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="memcached")


def increment(key: str, window: Window) -> int:
    memcached = stores.memcached()
    for _ in range(stores.TRIES):
        value, token = memcached.gets(key)
        if value is None:
            memcached.add(key, 0)  # only the first one succeeds; before it there is nothing to compare with
            continue
        window()
        if memcached.cas(key, value + 1, token):
            return int(value + 1)
    raise Refused(409, f"overtaken by others {stores.TRIES} times")


def read(key: str) -> int:
    return stores.memcached().get(key) or 0
