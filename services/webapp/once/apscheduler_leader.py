"""A scheduler in every process that takes orders, and a lock in Redis: its holder leads for one run.

People let the leader remember what it has done; here its position is kept in Redis beside the lock, so that
the next leader goes on from there.
"""

import uuid

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.once import ledger
from webapp.once.orders import Orders, Recurring, settled
from webapp.settings import PLACE
from webapp.window import Window

LEASE_MS = 5000

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=CLUSTER,
    survives="server",
    store="redis",
    lease_ms=LEASE_MS,
    thread="first-use",
    resumed=True,
    part="schedule",
)

orders = Orders("apscheduler-leader")
NAME = f"once.apscheduler-leader.{PLACE}"
"""The orders are a file of this deployment, and so is their lock."""


def do_what_is_due() -> None:
    redis = stores.redis()
    lock = redis.lock(f"{NAME}~lock", timeout=LEASE_MS / 1000, blocking=False)
    if not lock.acquire():
        return
    try:
        due, place = orders.since(int(redis.get(f"{NAME}~place") or 0))
        for key, order in due:
            ledger.note(key, order)
        redis.set(f"{NAME}~place", place)
    finally:
        lock.release()


job = Recurring(do_what_is_due)


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    job.start()
    window()
    order = uuid.uuid4().hex
    orders.place(key, order)
    return order


def read(key: str) -> list[str]:
    return settled(key, orders)
