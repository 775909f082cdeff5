"""A psycopg pool, opened when the app is made: before the fork, where the server makes the app first.

People open it at the top of a module, as its documentation's first lines do; the forked processes share the connections
that they inherit, and have none of the threads that would open another one. They fail even one after the other: the
session already has the statements of an earlier process, under names that the next one uses again.
"""

import contextlib
from typing import TYPE_CHECKING, Any

from flask import Flask

from webapp import stores
from webapp.claims import PROCESS, Claims
from webapp.connection import census, conversation, opening
from webapp.window import Window

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

CLAIMS = Claims(
    shared_across=PROCESS,
    atomic_across=PROCESS,
    inherited=frozenset({"processes"}),
    fails_across=frozenset({"processes"}),
    fails_in_turn=frozenset({"processes"}),
    untimed=True,
    survives="request",
    store="postgres",
)

NAME = census.name("postgres-pool-before-fork")

pools: list["ConnectionPool[Any]"] = []


def init_app(app: Flask) -> None:
    pools.append(stores.postgres_pool(min_size=1, application_name=NAME))
    with contextlib.suppress(Exception):  # a store that is down must not stop the app
        pools[0].wait(stores.TIMEOUT)


def echo(key: str, window: Window, value: int) -> int | None:
    with pools[0].connection() as connection:
        return conversation.over_postgres(connection, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_postgres(value)


def left(key: str) -> list[int]:
    return [census.at_postgres(NAME), pools[0].max_size]
