"""A psycopg connection on `flask.g`, opened at the first use in a request; there is no teardown function.

People fear that it stays open; CPython closes it as soon as the request's context is gone, since then nothing refers to
it. CPython does that with a ResourceWarning, and does not do it if a reference is kept elsewhere.
"""

from typing import TYPE_CHECKING, Any

from flask import g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg import Connection

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, left_to="interpreter", store="postgres")

NAME = census.name("postgres-on-g-no-teardown")


def connection() -> "Connection[Any]":
    if "postgres" not in g:
        g.postgres = opening.postgres(NAME)
    opened: Connection[Any] = g.postgres
    return opened


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_postgres(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), 0]
