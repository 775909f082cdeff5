"""PostgreSQL: `SELECT` how many there are, then `UPDATE ... SET n = n - 1`, in one transaction at the default level.

People believe that the transaction is enough; READ COMMITTED lets two of them look at the same last one.
"""

from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.inventory import tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="store",
    store="postgres",
)

PUT = "INSERT INTO articles VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET n = excluded.n"
READ = "SELECT n FROM articles WHERE key = %s"
TAKE = "UPDATE articles SET n = n - 1 WHERE key = %s"


def stock(key: str, window: Window, value: int) -> int:
    window()
    with tables.postgres().connection() as transaction:
        transaction.execute(PUT, [key, value])
    return value


def buy(key: str, window: Window) -> Answer:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
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
