"""PostgreSQL `SELECT ... FOR UPDATE`, then write: the row is locked from the read to the commit.

People fear locks that are never released; this one ends with the transaction. The count is right in every deployment.
The other requests wait, and each of them holds a connection meanwhile.
"""

from webapp.claims import CLUSTER, Claims
from webapp.counter import tables
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres", blocks_unpatched=True)

READ = "SELECT n FROM counters WHERE key = %s"
ENSURE_ROW = "INSERT INTO counters VALUES (%s, 0) ON CONFLICT DO NOTHING"  # a row that is not there cannot be locked
READ_AND_LOCK = "SELECT n FROM counters WHERE key = %s FOR UPDATE"
WRITE = "UPDATE counters SET n = %s WHERE key = %s"


def increment(key: str, window: Window) -> int:
    with tables.postgres().connection() as transaction:
        transaction.execute(ENSURE_ROW, [key])
        [(value,)] = transaction.execute(READ_AND_LOCK, [key]).fetchall()
        window()
        transaction.execute(WRITE, [value + 1, key])
    return int(value + 1)


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    return row[0] if row else 0
