"""The truth that the caches stand in front of: a row in SQLite, and the work that it takes to answer from it."""

import time

from flask import g

from webapp.errors import Refused
from webapp.tables import Tables
from webapp.window import Window

Answer = int | list[int]

TABLES = Tables("cache", "CREATE TABLE IF NOT EXISTS truth (key TEXT PRIMARY KEY, value INTEGER NOT NULL)")


MOST_QUERIES = 32


def queries(value: int) -> int:
    """How many it takes to compute a page from its row: some pages take long, others do not."""
    return 1 + value % MOST_QUERIES


def update(key: str, value: int) -> None:
    """Committed when it returns."""
    with TABLES.sqlite() as database:
        database.execute("INSERT OR REPLACE INTO truth VALUES (?, ?)", [key, value])


def compute(key: str, window: Window) -> int:
    """Reads the row, and works on it for a window per query; notes when, on the clock of the load."""
    begin = time.monotonic_ns()
    with TABLES.sqlite() as database:
        row = database.execute("SELECT value FROM truth WHERE key = ?", [key]).fetchone()
    if row is None:
        raise Refused(404, "nothing was written under this key")
    for _ in range(queries(row[0])):
        window()
    g.computed = [begin, time.monotonic_ns()]
    return int(row[0])


def answer(value: int) -> Answer:
    """The value; of a request that had to compute it, the value and when it began and ended to."""
    return [value, *g.computed] if "computed" in g else value
