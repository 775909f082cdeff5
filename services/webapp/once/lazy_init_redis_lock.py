"""A marker in Redis, looked for and set under redis-py's `Lock`: one of all processes does the work at the start.

People set the marker before the work, and then other requests go on while it is not done; here they wait.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.errors import Refused
from webapp.once import ledger
from webapp.once.start_up import START_UP, prepare
from webapp.window import Window

LEASE_MS = 30_000

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=CLUSTER,
    survives="server",
    store="redis",
    lease_ms=LEASE_MS,
    part="start",
)


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    redis = stores.redis()
    lock = redis.lock(f"{key}~lock", timeout=LEASE_MS / 1000, sleep=0.005, blocking_timeout=stores.TIMEOUT)
    if not lock.acquire():
        raise Refused(409, f"the lock was not free for {stores.TIMEOUT} seconds")
    try:
        if not redis.exists(f"{key}~started"):
            prepare(window)
            ledger.note(key, START_UP)
            redis.set(f"{key}~started", 1)
    finally:
        lock.release()
    return START_UP


def read(key: str) -> list[str]:
    return ledger.entries(key)
