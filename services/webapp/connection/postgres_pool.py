"""A psycopg pool, opened at the first use in each process: a request takes a connection and gives it back.

People think of it for speed; while a request has a connection, nobody else has it.
"""

from webapp.claims import NOTHING
from webapp.claims import REQUEST
from webapp.claims import Claims
from webapp.connection import conversation
from webapp.connection import opening
from webapp.window import Window

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, store="postgres")


def echo(key: str, window: Window, value: int) -> int | None:
    with conversation.POSTGRES.postgres().connection() as connection:
        return conversation.over_postgres(connection, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)
