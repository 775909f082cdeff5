"""uWSGI's own `uwsgi.lock()`: one lock for all of its workers, made before they are forked.

People fear that a worker dies while it has the lock; the kernel then gives it to the next one. It has no time limit: a
request that waits for a holder that hangs is never told `busy`. Under gevent a wait stops the whole process, including
the holder.
"""

from typing import NoReturn

from webapp.claims import HOST, Claims
from webapp.lock.section import Answer, not_yours, section
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, blocks_hub=True, survives="worker", server="uwsgi")


def work(key: str, window: Window) -> Answer:
    import uwsgi

    uwsgi.lock()
    try:
        return section(window)
    finally:
        uwsgi.unlock()


def release(key: str) -> NoReturn:
    raise not_yours(key)
