"""A psycopg pool, opened at the first use in each process: a request takes a connection and gives it back.

People use it for speed; it also makes sure that no two requests have the same connection at once.
"""

from typing import TYPE_CHECKING, Any

from webapp import stores
from webapp.claims import PROCESS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", store="postgres")

NAME = census.name("postgres-pool")


@stores.per_process
def pool() -> "ConnectionPool[Any]":
    return stores.postgres_pool(application_name=NAME)


def echo(key: str, window: Window, value: int) -> int | None:
    with pool().connection() as connection:
        return conversation.over_postgres(connection, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), pool().max_size]
