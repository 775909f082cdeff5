"""PostgreSQL `n = n + 1 ... RETURNING n`: the database reads and writes in one statement.

People think that it needs a lock or a stricter isolation level; nothing can come between its read and its write, and
writers of one row take turns, on whatever host they run.
"""

from webapp.claims import CLUSTER, Claims
from webapp.counter import tables
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres")

READ = "SELECT n FROM counters WHERE key = %s"
ADD_ONE = "INSERT INTO counters VALUES (%s, 1) ON CONFLICT (key) DO UPDATE SET n = counters.n + 1 RETURNING n"


def increment(key: str, window: Window) -> int:
    window()
    with tables.postgres().connection() as transaction:
        [(value,)] = transaction.execute(ADD_ONE, [key]).fetchall()
    return int(value)


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    return row[0] if row else 0
