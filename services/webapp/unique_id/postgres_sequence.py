"""A PostgreSQL sequence: `nextval` never gives a number twice, committed or not.

People expect it to have no gaps as well; a transaction that is rolled back leaves one.
"""

from webapp.claims import CLUSTER, Claims
from webapp.tables import Tables
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="store", store="postgres")

TABLES = Tables("unique-id", "CREATE SEQUENCE IF NOT EXISTS new_ids")


def new_id(key: str, window: Window) -> int:
    window()
    with TABLES.postgres().connection() as transaction:
        [(value,)] = transaction.execute("SELECT nextval('new_ids')").fetchall()
    return int(value)
