"""Redis `INCR`: one command that adds and answers, for all processes and hosts.

People fear the round trip; it is what makes the number unique wherever the request is served.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")


def new_id(key: str, window: Window) -> int:
    window()
    return int(stores.redis().incr(key))
