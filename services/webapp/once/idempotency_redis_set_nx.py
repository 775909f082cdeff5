"""Redis `SET NX` before the work: one command claims the request, for all processes.

People forget two cases: a retry that comes while the work is under way is refused (409) and asks again, and a process
that dies after its claim leaves the request undone until the claim ends.
"""

from typing import Any

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.errors import Refused
from webapp.once import ledger
from webapp.once.bodies import require_same
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis", part="retry")

KEPT_S = 3600
CLAIMED_S = 30
UNDER_WAY, DONE = "under-way", "done"


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    redis, name = stores.redis(), f"{key}~{op_id}"
    known: Any = redis.set(name, f"{UNDER_WAY} {body}", nx=True, ex=CLAIMED_S, get=True)
    if known is None:
        window()
        ledger.note(key, op_id)
        redis.set(name, f"{DONE} {body}", ex=KEPT_S)
        return op_id
    state, _, known_body = known.decode().partition(" ")
    require_same(op_id, body, known_body)
    if state == UNDER_WAY:
        raise Refused(409, f"the request {op_id} is under way; ask again")
    return op_id


def read(key: str) -> list[str]:
    return ledger.entries(key)
