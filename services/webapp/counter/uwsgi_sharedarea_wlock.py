"""uWSGI's SharedArea as a `memoryview`, under `sharedarea_wlock`: read, written and unlocked by one worker at a time.

People put the area's own calls under the lock; those lock and unlock it themselves, so that it is free after the first.
A `memoryview` does not. Under gevent the lock excludes no other greenlet: it belongs to the thread, so the next
greenlet gets it too, and the second unlock breaks it.
"""

from webapp import stores
from webapp.claims import HOST, Claims
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=frozenset({"threads", "processes"}),
    survives="worker",
    server="uwsgi",
)


def unavailable() -> str | None:
    import uwsgi

    if "gevent" in uwsgi.opt:
        return "under gevent every greenlet gets the lock, and with the second unlock nobody gets it any more"
    return None


def area() -> "memoryview[int]":
    import uwsgi

    view: memoryview[int] = uwsgi.sharedarea_memoryview(0).cast("q")
    return view


def increment(key: str, window: Window) -> int:
    import uwsgi

    counters, place = area(), stores.uwsgi_place(key)
    uwsgi.sharedarea_wlock(0)
    try:
        value = counters[place]
        window()
        counters[place] = value + 1
        return value + 1
    finally:
        uwsgi.sharedarea_unlock(0)


def read(key: str) -> int:
    return area()[stores.uwsgi_place(key)]
