"""Flask-Limiter with `redis://`: a script in Redis counts and answers in one step, for all processes and hosts.

People expect that they need a lock as well; the fixed window is one counter, and the counter is in one place.
"""

from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.rate_limit.answers import Answer
from webapp.rate_limit.asking import asker, per_hour, register
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

URI = (SETTINGS.redis or "").replace("unix://", "redis+unix://")

limiter = Limiter(asker, storage_uri=URI, storage_options=stores.redis_options())


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
