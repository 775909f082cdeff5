"""uWSGI's cache, `cache_get`, then `cache_update`: a table in memory that all workers of uWSGI share.

People believe that a cache in the server can keep a counter; each of its calls is one step, but an update takes two.
"""

from webapp import stores
from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="worker", server="uwsgi")


def increment(key: str, window: Window) -> int:
    import uwsgi

    value = read(key)
    window()
    uwsgi.cache_update(key, str(value + 1).encode(), 0, stores.UWSGI_CACHE)
    return value + 1


def read(key: str) -> int:
    import uwsgi

    return int(uwsgi.cache_get(key, stores.UWSGI_CACHE) or 0)
