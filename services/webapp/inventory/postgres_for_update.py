"""PostgreSQL `SELECT ... FOR UPDATE`, look, then take: the row is locked from the look to the commit.

People fear deadlocks; all buyers of an article lock the same single row, so they wait in line, and each holds a
connection.
"""

from webapp.claims import CLUSTER, Claims
from webapp.inventory import tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres", blocks_unpatched=True)

PUT = "INSERT INTO articles VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET n = excluded.n"
READ = "SELECT n FROM articles WHERE key = %s"
READ_AND_LOCK = "SELECT n FROM articles WHERE key = %s FOR UPDATE"
TAKE = "UPDATE articles SET n = n - 1 WHERE key = %s"


def stock(key: str, window: Window, value: int) -> int:
    window()
    with tables.postgres().connection() as transaction:
        transaction.execute(PUT, [key, value])
    return value


def buy(key: str, window: Window) -> Answer:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ_AND_LOCK, [key]).fetchone()
        if row is None:
            raise unknown_article(key)
        if row[0] < 1:
            return "sold-out"
        window()
        transaction.execute(TAKE, [key])
        return "ok"


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    if row is None:
        raise unknown_article(key)
    return int(row[0])
