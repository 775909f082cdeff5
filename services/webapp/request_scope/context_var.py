"""A `ContextVar` that a view sets: one value for each thread, or for each greenlet under gevent.

People take it for request-local, as it is in asyncio; a WSGI server gives no request a context of its own, so the next
request in the same thread finds it.
"""

from collections.abc import Mapping
from contextvars import ContextVar

from webapp.claims import NOTHING, THREAD, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=THREAD, atomic_across=NOTHING, survives="request", in_context=True)

owners: ContextVar[Mapping[str, str]] = ContextVar("owners")


def echo(key: str, window: Window, value: str) -> str:
    owners.set({**owners.get({}), key: value})
    window()
    return owners.get({})[key]


def find(key: str, value: str) -> str:
    return owners.get({}).get(key, value)
