"""uWSGI's cache, `cache_inc`, then `cache_num`: the increment is one step in memory that all workers of uWSGI share.

People return the number that they read afterwards; the increment itself does not say which number it made.
"""

from webapp import stores
from webapp.claims import HOST, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, answers_later=True, survives="worker", server="uwsgi")


def increment(key: str, window: Window) -> int:
    import uwsgi

    uwsgi.cache_inc(key, 1, 0, stores.UWSGI_CACHE)
    window()
    return read(key)


def read(key: str) -> int:
    import uwsgi

    number: int = uwsgi.cache_num(key, stores.UWSGI_CACHE)
    return number
