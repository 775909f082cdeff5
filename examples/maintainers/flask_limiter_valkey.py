"""Flask-Limiter with `valkey://`: a script in Valkey counts and answers in one step, for all processes and hosts.

People ask whether it counts as exactly as `redis://`: it is the same script, sent by the client of Valkey.
"""

from importlib.util import find_spec

from flask import Flask, g
from flask_limiter import Limiter, RateLimitExceeded

from webapp.claims import CLUSTER, Claims
from webapp.rate_limit.answers import Answer
from webapp.rate_limit.asking import asker, per_hour, register
from webapp.settings import SETTINGS
from webapp.stores import TIMEOUT
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

URI = (SETTINGS.redis or "").replace("unix://", "valkey+unix://").replace("redis://", "valkey://")

limiter = Limiter(asker, storage_uri=URI, storage_options={"socket_timeout": TIMEOUT})  # type: ignore[dict-item]


def unavailable() -> str | None:
    return None if find_spec("valkey") else "the package valkey is not installed here"


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
