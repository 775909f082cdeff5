"""An entry in `current_app.extensions`: the Flask object is one for all requests of a process.

People believe that what is stored on `current_app` belongs to the current request; only the name depends on the
request, the object is the application.
"""

from flask import current_app

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")


def echo(key: str, window: Window, value: str) -> str:
    current_app.extensions[key] = value
    window()
    stored: str = current_app.extensions[key]
    return stored


def find(key: str, value: str) -> str:
    found: str = current_app.extensions.get(key, value)
    return found
