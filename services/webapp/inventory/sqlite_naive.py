"""SQLite: `SELECT` how many there are, then `UPDATE ... SET n = n - 1`.

People trust the update, which is atomic; but the decision to sell was made before it, from a number that is out of
date.
"""

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.inventory import deliveries, tables
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="sqlite")

PUT = "INSERT INTO articles VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = excluded.n"
READ = "SELECT n FROM articles WHERE key = ?"
TAKE = "UPDATE articles SET n = n - 1 WHERE key = ?"


def stock(key: str, window: Window, value: int) -> int:
    window()
    deliveries.deliver(key, value)
    with tables.sqlite() as database:
        database.execute(PUT, [key, value])
    return value


def buy(key: str, window: Window) -> Answer:
    if read(key) < 1:
        return "sold-out"
    window()
    with tables.sqlite() as database:
        database.execute(TAKE, [key])
    return "ok"


def read(key: str) -> int:
    tables.hear_of(key)
    with tables.sqlite() as database:
        row = database.execute(READ, [key]).fetchone()
    if row is None:
        raise unknown_article(key)
    return int(row[0])
