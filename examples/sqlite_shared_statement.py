"""CPython 3.13: threads that share a SQLite connection are given the same prepared statement (not so in 3.11.7).

`sqlite3.threadsafety` is 3: threads may share a connection. It keeps prepared statements by their text, and takes one
that is not running. Between that look and the first step a thread waits for the database without the GIL: the next one
finds the statement idle, and binds its own values to it. So a row gets another thread's value, and some calls fail.

Ends with 1 where it was seen; on a busy machine that may take several rounds. `--fix` opens the connection with
`cached_statements=0`.
"""

import sqlite3
import sys
import threading

ROWS, THREADS, ROUNDS = 4000, 8, 20
cached = 0 if "--fix" in sys.argv else 128
db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None, cached_statements=cached)
db.execute("CREATE TABLE sent (value INTEGER NOT NULL)")
errors: list[str] = []


def insert(value: int) -> None:
    for _ in range(ROWS):
        try:
            db.execute("INSERT INTO sent (value) VALUES (?)", [value])
        except sqlite3.Error as error:
            errors.append(f"{type(error).__name__}: {error}")


rounds, rows = 0, {}
while rounds < ROUNDS and not errors and set(rows.values()) <= {ROWS}:
    rounds += 1
    db.execute("DELETE FROM sent")
    threads = [threading.Thread(target=insert, args=[value]) for value in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = dict(db.execute("SELECT value, count(*) FROM sent GROUP BY value").fetchall())
print(f"Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}, threadsafety {sqlite3.threadsafety}")
print(f"expected: {ROWS} rows of each thread, no error")
print(f"actual, in round {rounds}: {sorted(rows.values())} rows, {len(errors)} errors {sorted(set(errors))}")
sys.exit(bool(errors) or set(rows.values()) != {ROWS})
