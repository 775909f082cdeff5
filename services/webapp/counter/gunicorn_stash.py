"""gunicorn's stash, `get`, then `put`: a table in gunicorn's dirty arbiter that all its workers share.

People believe that "global shared state" can keep a counter; the stash has no increment and no compare-and-set.
"""

from webapp.claims import HOST, NOTHING, SOCKETS, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST, atomic_across=NOTHING, switches_inside=SOCKETS, survives="worker", server="gunicorn"
)

TABLE = "counters"


def increment(key: str, window: Window) -> int:
    from gunicorn.dirty import stash

    value = read(key)
    window()
    stash.put(TABLE, key, value + 1)
    return value + 1


def read(key: str) -> int:
    from gunicorn.dirty import stash

    # `stash.get` of a missing key raises in gunicorn 27.0.1, whatever default it was given
    return stash.get(TABLE, key) if stash.exists(TABLE, key) else 0
