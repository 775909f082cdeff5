"""PostgreSQL `INSERT ... ON CONFLICT DO NOTHING` and the work in one transaction: the primary key lets one in.

People look first and then insert; here a retry that comes meanwhile waits for the transaction of the first request, and
finds its row.
"""

from webapp.claims import CLUSTER, Claims
from webapp.once import ledger
from webapp.once.bodies import require_same
from webapp.tables import Tables
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=CLUSTER,
    survives="store",
    store="postgres",
    part="retry",
    blocks_unpatched=True,
)

TABLES = Tables(
    "once",
    "CREATE TABLE IF NOT EXISTS requests_done (key TEXT, op_id TEXT, body TEXT NOT NULL, PRIMARY KEY (key, op_id))",
)


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    with TABLES.postgres().connection() as transaction:
        claimed = transaction.execute(
            "INSERT INTO requests_done VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING key", [key, op_id, body]
        ).fetchone()
        if claimed:
            window()
            ledger.note(key, op_id)
        else:
            known = transaction.execute(
                "SELECT body FROM requests_done WHERE key = %s AND op_id = %s", [key, op_id]
            ).fetchone()
            assert known
            require_same(op_id, body, known[0])
    return op_id


def read(key: str) -> list[str]:
    return ledger.entries(key)
