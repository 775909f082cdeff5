"""uWSGI's SharedArea, `sharedarea_read64`, then `sharedarea_write64`: bytes that all workers of uWSGI share.

People know that each of these calls locks the area, and believe that the update is locked too; it takes two calls.
"""

from webapp import stores
from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="worker", server="uwsgi")


def increment(key: str, window: Window) -> int:
    import uwsgi

    value = read(key)
    window()
    uwsgi.sharedarea_write64(0, 8 * stores.uwsgi_place(key), value + 1)
    return value + 1


def read(key: str) -> int:
    import uwsgi

    value: int = uwsgi.sharedarea_read64(0, 8 * stores.uwsgi_place(key))
    return value
