"""PostgreSQL read, then write, at REPEATABLE READ: the second of two writers is turned away, and tried again.

People expect a stricter level to be enough; it is right only with the retry, without which the second request ends in
an error.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.counter import tables
from webapp.errors import Refused
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres")

READ = "SELECT n FROM counters WHERE key = %s"
ENSURE_ROW = "INSERT INTO counters VALUES (%s, 0) ON CONFLICT DO NOTHING"
WRITE = "UPDATE counters SET n = %s WHERE key = %s"


def increment(key: str, window: Window) -> int:
    from psycopg.errors import SerializationFailure

    with tables.postgres().connection() as transaction:
        transaction.execute(ENSURE_ROW, [key])
    for _ in range(stores.TRIES):
        try:
            with tables.postgres().connection() as transaction:
                transaction.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                [(value,)] = transaction.execute(READ, [key]).fetchall()
                window()
                transaction.execute(WRITE, [value + 1, key])
            return int(value + 1)
        except SerializationFailure:
            continue
    raise Refused(409, f"overtaken by others {stores.TRIES} times")


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    return row[0] if row else 0
