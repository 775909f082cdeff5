"""A `pymemcache.Client` on `flask.g`, made at the first use in a request and closed by a teardown function.

People fear the cost of a connection for each request; in return no two requests share a client.
"""

from typing import TYPE_CHECKING

from flask import Flask, g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.connection import census, conversation, opening
from webapp.own_app import own_app
from webapp.window import Window

if TYPE_CHECKING:
    from pymemcache.client.base import Client

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None, store="memcached")


def client() -> "Client":
    if "memcached" not in g:
        g.memcached = opening.memcached()
    opened: Client = g.memcached
    return opened


def close(error: BaseException | None = None) -> None:
    if "memcached" in g:
        g.pop("memcached").close()


def init_app(app: Flask) -> None:
    mine = own_app(app, "connection", "memcached-on-g")
    mine.teardown_appcontext(close)


def echo(key: str, window: Window, value: int) -> int | None:
    return conversation.over_memcached(client(), key, window, value)


def probe(key: str, value: int) -> int | None:
    return opening.probe_memcached(key, value)


def left(key: str) -> list[int]:
    return [census.at_memcached(), 0]
