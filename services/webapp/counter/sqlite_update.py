"""SQLite `n = n + 1 ... RETURNING n`: the database reads and writes in one statement.

People think that it needs a transaction around it; it is one step by itself, and writers of all processes take turns.
"""

from webapp.claims import HOST, Claims
from webapp.counter import tables
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, survives="server", medium="sqlite")

READ = "SELECT n FROM counters WHERE key = ?"
ADD_ONE = "INSERT INTO counters VALUES (?, 1) ON CONFLICT (key) DO UPDATE SET n = n + 1 RETURNING n"


def increment(key: str, window: Window) -> int:
    window()
    with tables.sqlite() as database:
        [(value,)] = database.execute(ADD_ONE, [key]).fetchall()
        return int(value)


def read(key: str) -> int:
    with tables.sqlite() as database:
        row = database.execute(READ, [key]).fetchone()
        return row[0] if row else 0
