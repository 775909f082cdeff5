"""Redis `INCR`, then `GET` for the answer, as a published sample for web counters has it.

People take it for the same as `INCR`; the total is right, but two requests may be told the same number.
"""

from webapp import stores
from webapp.claims import CLUSTER, SOCKETS, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=CLUSTER,
    answers_later=True,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
)


def increment(key: str, window: Window) -> int:
    stores.redis().incr(key)
    window()
    return read(key)


def read(key: str) -> int:
    return int(stores.redis().get(key) or 0)
