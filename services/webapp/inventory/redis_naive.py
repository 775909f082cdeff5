"""Redis `GET`, look, then `DECR`: the store is shared, and each command is atomic.

People believe that two atomic commands are one step; between them other requests look at the same last piece.
"""

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
)


def stock(key: str, window: Window, value: int) -> int:
    window()
    stores.redis().set(key, value)
    return value


def buy(key: str, window: Window) -> Answer:
    if read(key) < 1:
        return "sold-out"
    window()
    stores.redis().decr(key)
    return "ok"


def read(key: str) -> int:
    left = stores.redis().get(key)
    if left is None:
        raise unknown_article(key)
    return int(left)
