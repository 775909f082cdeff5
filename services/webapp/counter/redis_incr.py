"""Redis `INCR`: one command that adds and answers; nothing can come between.

People read first and then write, as they would with a variable; here Redis does both in one step. This is the counter
to choose, and it lasts as long as Redis keeps it.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")


def increment(key: str, window: Window) -> int:
    window()
    return int(stores.redis().incr(key))


def read(key: str) -> int:
    return int(stores.redis().get(key) or 0)
