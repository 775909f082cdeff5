"""A psycopg connection for each request, to be closed by `atexit`.

People take this from scripts, where it is good practice; a server's process ends days later and keeps all connections
until then. The server gives its user no more than ten here, and then requests fail.
"""

import atexit

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, left_to="process", store="postgres")

NAME = census.name("postgres-closed-at-exit")


def echo(key: str, window: Window, value: int) -> int | None:
    connection = opening.postgres(NAME, user=opening.limited_user(NAME))
    atexit.register(connection.close)
    return conversation.over_postgres(connection, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), 0]
