"""`flask.g`: a place for one request, so a counter in it starts anew each time.

People take it for "Flask's global"; it is emptied when the request ends.
"""

from flask import g

from webapp.claims import NOTHING, REQUEST, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=REQUEST, atomic_across=NOTHING, survives=None)


def increment(key: str, window: Window) -> int:
    value: int = g.get(key, 0)
    window()
    setattr(g, key, value + 1)
    return value + 1


def read(key: str) -> int:
    value: int = g.get(key, 0)
    return value
