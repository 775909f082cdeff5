"""SQLite `UPDATE ... SET n = n - 1 WHERE n > 0`: one statement that looks and takes, and says whether it did.

People think it needs a transaction and a lock; the statement is both.
"""

from webapp.claims import HOST, Claims
from webapp.inventory import deliveries, tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, survives="server", medium="sqlite")

PUT = "INSERT INTO articles VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = excluded.n"
READ = "SELECT n FROM articles WHERE key = ?"
TAKE_IF_THERE = "UPDATE articles SET n = n - 1 WHERE key = ? AND n > 0"


def stock(key: str, window: Window, value: int) -> int:
    window()
    deliveries.deliver(key, value)
    with tables.sqlite() as database:
        database.execute(PUT, [key, value])
    return value


def buy(key: str, window: Window) -> Answer:
    tables.hear_of(key)
    window()
    with tables.sqlite() as database:
        taken = database.execute(TAKE_IF_THERE, [key]).rowcount
    if not taken:
        read(key)  # refuses an article that is not known
    return "ok" if taken else "sold-out"


def read(key: str) -> int:
    tables.hear_of(key)
    with tables.sqlite() as database:
        row = database.execute(READ, [key]).fetchone()
    if row is None:
        raise unknown_article(key)
    return int(row[0])
