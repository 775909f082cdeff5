"""memcached `incr`: one command that adds and answers, once the key has been added.

People believe that a counter that counts correctly is also kept. This one counts correctly for all that use the same
memcached, but it starts anew after a restart or when memory runs short.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="memcached")


def increment(key: str, window: Window) -> int:
    window()
    value = stores.memcached().incr(key, 1)
    if value is None:
        stores.memcached().add(key, 0)  # only the first one succeeds; later ones change nothing
        value = stores.memcached().incr(key, 1)
    return int(value)


def read(key: str) -> int:
    return stores.memcached().get(key) or 0
