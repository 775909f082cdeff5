"""Redis `GET`, then `SET`: the store is shared, the update is two commands.

People believe that a value in Redis is safe; two requests read the same number, and the last `SET` wins.
"""

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
)


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    stores.redis().set(key, value + 1)
    return value + 1


def read(key: str) -> int:
    return int(stores.redis().get(key) or 0)
