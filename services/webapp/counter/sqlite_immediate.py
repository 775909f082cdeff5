"""SQLite `BEGIN IMMEDIATE`, read, write, `COMMIT`: the write lock is taken before the read.

People believe that the write lock keeps any two requests apart. It excludes threads and processes; under gevent,
waiting for it stops the whole process, including the holder, until the wait times out.
"""

from webapp.claims import HOST, Claims
from webapp.counter import tables
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, blocks_hub=True, survives="server", medium="sqlite")

READ = "SELECT n FROM counters WHERE key = ?"
WRITE = "INSERT INTO counters VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET n = excluded.n"


def increment(key: str, window: Window) -> int:
    with tables.sqlite() as database:
        database.execute("BEGIN IMMEDIATE")
        row = database.execute(READ, [key]).fetchone()
        value: int = row[0] if row else 0
        window()
        database.execute(WRITE, [key, value + 1])
        database.execute("COMMIT")
        return value + 1


def read(key: str) -> int:
    with tables.sqlite() as database:
        row = database.execute(READ, [key]).fetchone()
        return row[0] if row else 0
