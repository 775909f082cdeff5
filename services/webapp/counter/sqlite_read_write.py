"""SQLite `SELECT`, then write what was read plus one: two statements, each committed by itself.

People believe that a database makes the update one transaction; it does not, so two requests read the same number.
"""

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.counter import tables
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="sqlite")

READ = "SELECT n FROM counters WHERE key = ?"
WRITE = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = excluded.n"


def increment(key: str, window: Window) -> int:
    with tables.sqlite() as database:
        row = database.execute(READ, [key]).fetchone()
        value: int = row[0] if row else 0
        window()
        database.execute(WRITE, [key, value + 1])
        return value + 1


def read(key: str) -> int:
    with tables.sqlite() as database:
        row = database.execute(READ, [key]).fetchone()
        return row[0] if row else 0
