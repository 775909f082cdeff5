"""`flask.g`: made for each request, gone when it ends.

People take it for "Flask's global"; each request has its own under every server, as long as nobody pushes a context
that stays.
"""

from flask import g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None)


def echo(key: str, window: Window, value: str) -> str:
    setattr(g, key, value)
    window()
    stored: str = getattr(g, key)
    return stored


def find(key: str, value: str) -> str:
    found: str = g.get(key, value)
    return found
