"""Flask-Limiter with `memory://`, its default: counts in a dict of the process, added to under a lock.

People deploy what the quick start showed. Each process lets the whole limit through; and the count is read again after
the lock is released, so that a request may be refused because of later ones.
"""

from collections import Counter
from typing import Any

from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded
from limits.storage import MemoryStorage

from webapp.claims import PROCESS, Claims
from webapp.rate_limit.answers import Answer
from webapp.rate_limit.asking import asker, per_hour, register
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, answers_later=True, survives="request")

limiter = Limiter(asker, storage_uri="memory://")


class WidenedCounter(Counter[str]):
    """Puts the window inside the library, before it looks up a count: once before its lock and once after."""

    def get(self, *arguments: Any) -> Any:
        g.window()
        return super().get(*arguments)


def init_app(app: Flask) -> None:
    register(limiter)
    assert isinstance(limiter.storage, MemoryStorage)
    limiter.storage.storage = WidenedCounter()


@limiter.limit(per_hour)
def guarded() -> Answer:
    return "ok"


def hit(key: str, window: Window, limit: int) -> Answer:
    g.asker, g.window, g.limit = key, window, limit
    try:
        return guarded()
    except RateLimitExceeded:
        return "refused"
