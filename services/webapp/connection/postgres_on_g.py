"""A psycopg connection on `flask.g`, opened at the first use in a request and closed by a teardown function.

People find it wasteful; no two requests share a connection, so nothing can be mixed up.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask, g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.connection import census, conversation, opening
from webapp.own_app import own_app
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg import Connection

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, store="postgres")

NAME = census.name("postgres-on-g")


def connection() -> "Connection[Any]":
    if "postgres" not in g:
        g.postgres = opening.postgres(NAME)
    opened: Connection[Any] = g.postgres
    return opened


def close(error: BaseException | None = None) -> None:
    if "postgres" in g:
        g.pop("postgres").close()


def init_app(app: Flask) -> None:
    mine = own_app(app, "connection", "postgres-on-g")
    mine.teardown_appcontext(close)


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_postgres(connection(), window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), 0]
