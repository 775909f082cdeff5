"""Redis `GET`, the work, then `SET`: the requests that were done, for all processes.

People believe that a shared store is enough; two requests that look before either has written both do the work.
"""

from typing import Any

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.once import ledger
from webapp.once.bodies import require_same
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
    part="retry",
)

KEPT_S = 3600


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    redis, name = stores.redis(), f"{key}~{op_id}"
    known: Any = redis.get(name)
    if known is None:
        window()
        ledger.note(key, op_id)
        redis.set(name, body, ex=KEPT_S)
    else:
        require_same(op_id, body, known.decode())
    return op_id


def read(key: str) -> list[str]:
    return ledger.entries(key)
