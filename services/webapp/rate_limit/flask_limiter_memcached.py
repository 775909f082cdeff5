"""Flask-Limiter with `memcached://`: memcached's own `incr`, and `add` for the first of the hour.

People doubt a store that may forget; while it does not, `incr` is one step and counts for all processes and hosts.
"""

from typing import Any

from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.rate_limit.answers import Answer
from webapp.rate_limit.asking import asker, per_hour, register
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="memcached")

ADDRESS = SETTINGS.memcached if isinstance(SETTINGS.memcached, str) else ":".join(map(str, SETTINGS.memcached or ()))

OPTIONS: dict[str, Any] = {"no_delay": True, "connect_timeout": stores.TIMEOUT, "timeout": stores.TIMEOUT}

limiter = Limiter(asker, storage_uri=f"memcached://{ADDRESS}", storage_options=OPTIONS)


def init_app(app: Flask) -> None:
    register(limiter)


@limiter.limit(per_hour)
def guarded() -> Answer:
    return "ok"


def hit(key: str, window: Window, limit: int) -> Answer:
    window()
    g.asker, g.limit = key, limit
    try:
        return guarded()
    except RateLimitExceeded:
        return "refused"
