"""One psycopg connection for the process, opened at its first use.

People read that it is thread-safe: its calls wait for each other. But all requests share its session: their statements
mix, and "the row that I inserted last" is somebody else's.
"""

from typing import TYPE_CHECKING, Any

from webapp import stores
from webapp.claims import NOTHING, PROCESS, SOCKETS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg import Connection

CLAIMS = Claims(
    shared_across=PROCESS, atomic_across=NOTHING, switches_inside=SOCKETS, survives="request", store="postgres"
)

NAME = census.name("postgres-global")


@stores.per_process
def connection() -> "Connection[Any]":
    return opening.postgres(NAME)


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_postgres(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), 1]
