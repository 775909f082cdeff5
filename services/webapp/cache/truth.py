"""The source that the caches stand in front of: a row in SQLite, and the work to compute an answer from it.

Several hosts share no file: there the row is a key of Redis.
"""

import time

from flask import g

from webapp import world
from webapp.errors import Refused
from webapp.settings import SETTINGS
from webapp.tables import Tables
from webapp.window import Window

Answer = int | list[int]

TABLES = Tables("cache", "CREATE TABLE IF NOT EXISTS truth (key TEXT PRIMARY KEY, value INTEGER NOT NULL)")


MOST_QUERIES = 32


def queries(value: int) -> int:
    """How many queries it takes to compute a page from its row: many for some pages, few for others."""
    return 1 + value % MOST_QUERIES


def update(key: str, value: int) -> None:
    """Committed when it returns."""
    if SETTINGS.replicated:
        world.put(key, value)
        return
    with TABLES.sqlite() as database:
        database.execute("INSERT OR REPLACE INTO truth VALUES (?, ?)", [key, value])


def compute(key: str, window: Window) -> int:
    """Reads the row and works for one window per query; also returns the start and the end, on the load's clock."""
    begin = time.monotonic_ns()
    found = _look(key)
    if found is None:
        raise Refused(404, "nothing was written under this key")
    for _ in range(queries(found)):
        window()
    g.computed = [begin, time.monotonic_ns()]
    return found


def _look(key: str) -> int | None:
    if SETTINGS.replicated:
        return world.get(key)
    with TABLES.sqlite() as database:
        row = database.execute("SELECT value FROM truth WHERE key = ?", [key]).fetchone()
    return int(row[0]) if row else None


def answer(value: int) -> Answer:
    """The value; if the request had to compute it, also when the computation began and ended."""
    return [value, *g.computed] if "computed" in g else value
