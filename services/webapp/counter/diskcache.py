"""`diskcache.Cache.incr`: a cache in a SQLite file whose increment is a transaction.

People expect the last writer to win, as with any file; its docs promise that all concurrent increments are counted, and
they are.
"""

from diskcache import Cache

from webapp import stores
from webapp.claims import HOST, Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, survives="server", medium="sqlite")


@stores.per_process
def cache() -> Cache:
    return Cache(SETTINGS.state_dir / "diskcache", timeout=5)


def increment(key: str, window: Window) -> int:
    window()
    return int(cache().incr(key))


def read(key: str) -> int:
    return int(cache().get(key, 0))
