"""PostgreSQL with `CHECK (n >= 0)`: take without a look, and the table refuses the one too many.

People leave it to the app to be careful; the constraint holds whatever the app forgets, at the price of an error that
somebody has to translate.
"""

from webapp.claims import CLUSTER, Claims
from webapp.inventory import tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres")

PUT = "INSERT INTO checked_articles VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET n = excluded.n"
READ = "SELECT n FROM checked_articles WHERE key = %s"
TAKE = "UPDATE checked_articles SET n = n - 1 WHERE key = %s"


def stock(key: str, window: Window, value: int) -> int:
    window()
    with tables.postgres().connection() as transaction:
        transaction.execute(PUT, [key, value])
    return value


def buy(key: str, window: Window) -> Answer:
    from psycopg.errors import CheckViolation

    window()
    try:
        with tables.postgres().connection() as transaction:
            taken = transaction.execute(TAKE, [key]).rowcount
    except CheckViolation:
        return "sold-out"
    if not taken:
        raise unknown_article(key)
    return "ok"


def read(key: str) -> int:
    with tables.postgres().connection() as transaction:
        row = transaction.execute(READ, [key]).fetchone()
    if row is None:
        raise unknown_article(key)
    return int(row[0])
