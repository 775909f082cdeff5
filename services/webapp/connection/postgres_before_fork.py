"""One psycopg connection, opened when the app is made: before the fork, where the server makes the app first.

People open it at the top of a module and rely on its lock; each forked process has its own lock, but they share one
socket. They fail even if they use it one after the other: psycopg prepares repeated statements under names that it
counts in its own memory, and the session already has a statement of that name from an earlier process.
"""

import contextlib
from typing import TYPE_CHECKING, Any

from flask import Flask

from webapp.claims import HOST, NOTHING, PROCESS, SOCKETS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg import Connection

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=NOTHING,
    inherited=frozenset({"processes"}),
    fails_across=HOST - PROCESS,
    fails_in_turn=frozenset({"processes"}),
    untimed=True,
    switches_inside=SOCKETS,
    survives="request",
    store="postgres",
)

NAME = census.name("postgres-before-fork")

opened: list["Connection[Any]"] = []


def init_app(app: Flask) -> None:
    with contextlib.suppress(Exception):  # a store that is down must not stop the app
        opened.append(opening.postgres(NAME))


def echo(key: str, window: Window, value: int) -> int | None:
    if not opened:
        opened.append(opening.postgres(NAME))
    return conversation.over_postgres(opened[0], window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), 1]
