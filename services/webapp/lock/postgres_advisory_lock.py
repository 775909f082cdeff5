"""PostgreSQL's `pg_advisory_xact_lock`: a lock by number that a transaction holds until it ends.

People fear locks that are never released; the end of the transaction frees this one, and so does the end of the
connection when its process is killed. A lock of the session (`pg_advisory_lock`) would stay with the connection that
goes back to the pool.
"""

from typing import NoReturn

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.lock.section import BUSY, WAIT, Answer, not_yours, section
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=CLUSTER,
    survives="server",
    store="postgres",
    blocks_unpatched=True,
)


def work(key: str, window: Window) -> Answer:
    from psycopg.errors import LockNotAvailable

    with stores.postgres().connection() as transaction:
        transaction.execute("SELECT set_config('lock_timeout', %s, true)", [f"{WAIT}s"])
        try:
            transaction.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
        except LockNotAvailable:
            return BUSY
        return section(window)


def release(key: str) -> NoReturn:
    raise not_yours(key)
