"""The truth that the caches stand in front of: a row in SQLite, and the work that it takes to answer from it."""

import time

from flask import g

from webapp.errors import Refused
from webapp.tables import Tables
from webapp.window import Window

Answer = int | list[int]

TABLES = Tables("cache", "CREATE TABLE IF NOT EXISTS truth (key TEXT PRIMARY KEY, value INTEGER NOT NULL)")


def update(key: str, window: Window, value: int) -> None:
    """Committed when it returns; the work of the request comes before."""
    window()
    with TABLES.sqlite() as database:
        database.execute("INSERT OR REPLACE INTO truth VALUES (?, ?)", [key, value])


def compute(key: str, window: Window) -> int:
    """Reads the row, and works on it for as long as the window; notes when, on the clock of the load."""
    begin = time.monotonic_ns()
    with TABLES.sqlite() as database:
        row = database.execute("SELECT value FROM truth WHERE key = ?", [key]).fetchone()
    if row is None:
        raise Refused(404, "nothing was written under this key")
    window()
    g.computed = [begin, time.monotonic_ns()]
    return int(row[0])


def answer(value: int) -> Answer:
    """The value; of a request that had to compute it, the value and when it began and ended to."""
    return [value, *g.computed] if "computed" in g else value
