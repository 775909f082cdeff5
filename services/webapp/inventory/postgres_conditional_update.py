"""PostgreSQL `UPDATE ... SET n = n - 1 WHERE n > 0`: one statement that looks and takes, and says whether it did.

People expect it to need a stricter isolation level; a second buyer waits for the row and looks at it again.
"""

from webapp.claims import CLUSTER, Claims
from webapp.inventory import tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres")

PUT = "INSERT INTO articles VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET n = excluded.n"
READ = "SELECT n FROM articles WHERE key = %s"
TAKE_IF_THERE = "UPDATE articles SET n = n - 1 WHERE key = %s AND n > 0"


def stock(key: str, window: Window, value: int) -> int:
    window()
    with tables.postgres().connection() as transaction:
        transaction.execute(PUT, [key, value])
    return value


def buy(key: str, window: Window) -> Answer:
    window()
    with tables.postgres().connection() as transaction:
        taken = transaction.execute(TAKE_IF_THERE, [key]).rowcount
    if not taken:
        read(key)  # refuses an article that is not known
    return "ok" if taken else "sold-out"


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    if row is None:
        raise unknown_article(key)
    return int(row[0])
