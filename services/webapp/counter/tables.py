"""The one table of the counter's SQL mechanisms."""

from webapp.tables import Tables

_TABLES = Tables("counter", "CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, n BIGINT NOT NULL)")

postgres = _TABLES.postgres
sqlite = _TABLES.sqlite
