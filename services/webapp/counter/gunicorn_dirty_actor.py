"""A dirty app of gunicorn's with one worker: one process owns the counters and does one call at a time.

People set up a store to have one owner of a value; this is gunicorn's own way to have one. The counter is right, but it
is lost when that process ends.
"""

from webapp import stores
from webapp.claims import HOST, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, survives="worker", server="gunicorn")

APP = "dirty_actor:Counters"


def increment(key: str, window: Window) -> int:
    from gunicorn.dirty import get_dirty_client

    window()
    value: int = get_dirty_client(stores.TIMEOUT).execute(APP, "increment", key)
    return value


def read(key: str) -> int:
    from gunicorn.dirty import get_dirty_client

    value: int = get_dirty_client(stores.TIMEOUT).execute(APP, "read", key)
    return value
