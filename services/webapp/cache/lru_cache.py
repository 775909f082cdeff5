"""`functools.lru_cache` on the function that computes, `cache_clear` after an update.

People believe that it is one cache for the whole app; each process has its own, and clears only that. A call that was
under way when the cache was cleared puts back what it had read before.
"""

from functools import lru_cache

from flask import g

from webapp.cache import truth
from webapp.claims import BLOCKING, NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, switches_inside=BLOCKING, survives="request")


@lru_cache(maxsize=1024)
def page(key: str) -> int:
    return truth.compute(key, g.window)


def write(key: str, value: int) -> int:
    truth.update(key, value)
    page.cache_clear()
    return value


def read(key: str, window: Window) -> truth.Answer:
    g.window = window
    return truth.answer(page(key))
