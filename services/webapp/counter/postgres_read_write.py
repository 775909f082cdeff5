"""PostgreSQL `SELECT`, then write what was read plus one, in one transaction at the default isolation level.

People believe that the transaction is enough; READ COMMITTED lets two of them read the same number.
"""

from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.counter import tables
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="store",
    store="postgres",
)

READ = "SELECT n FROM counters WHERE key = %s"
WRITE = "INSERT INTO counters VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET n = excluded.n"


def increment(key: str, window: Window) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
        value: int = row[0] if row else 0
        window()
        transaction.execute(WRITE, [key, value + 1])
    return value + 1


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    return row[0] if row else 0
