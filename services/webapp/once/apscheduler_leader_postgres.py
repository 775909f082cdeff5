"""A scheduler in every process that takes orders, and a PostgreSQL advisory lock: its holder leads for one run.

People fear that a leader who dies keeps the lock. It ends with the transaction, and so does what was not committed: the
leader's position is a row of the same transaction.
"""

import uuid

from webapp.claims import CLUSTER, Claims
from webapp.once import ledger
from webapp.once.orders import Orders, Recurring, settled
from webapp.settings import PLACE
from webapp.tables import Tables
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=CLUSTER,
    survives="server",
    store="postgres",
    thread="first-use",
    resumed=True,
    part="schedule",
)

orders = Orders("apscheduler-leader-postgres")
NAME = f"once.apscheduler-leader-postgres.{PLACE}"
TABLES = Tables("once", "CREATE TABLE IF NOT EXISTS places (name TEXT PRIMARY KEY, place BIGINT NOT NULL)")


def do_what_is_due() -> None:
    with TABLES.postgres().connection() as transaction:
        leads = transaction.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [NAME]).fetchone()
        if leads != (True,):
            return
        reached = transaction.execute("SELECT place FROM places WHERE name = %s", [NAME]).fetchone()
        due, place = orders.since(int(reached[0]) if reached else 0)
        for key, order in due:
            ledger.note(key, order)
        transaction.execute(
            "INSERT INTO places VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET place = excluded.place", [NAME, place]
        )


job = Recurring(do_what_is_due)


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    job.start()
    window()
    order = uuid.uuid4().hex
    orders.place(key, order)
    return order


def read(key: str) -> list[str]:
    return settled(key, orders)
