"""The tables of the inventory's SQL mechanisms: one takes any number, one refuses numbers below zero."""

from webapp.inventory import deliveries
from webapp.settings import SETTINGS
from webapp.tables import Tables

_TABLES = Tables(
    "inventory",
    "CREATE TABLE IF NOT EXISTS articles (key TEXT PRIMARY KEY, n BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS checked_articles (key TEXT PRIMARY KEY, n BIGINT NOT NULL CHECK (n >= 0))",
)

postgres = _TABLES.postgres
sqlite = _TABLES.sqlite
sqlite_path = _TABLES.path


def hear_of(key: str) -> None:
    """Hosts share no file: each host's SQLite database begins with what was delivered, on whichever host that was."""
    if SETTINGS.replicated:
        with sqlite() as database:
            database.execute("INSERT OR IGNORE INTO articles VALUES (?, ?)", [key, deliveries.delivered(key)])
