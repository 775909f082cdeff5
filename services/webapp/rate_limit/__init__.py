"""A limit of requests per hour and client, over all workers."""

from typing import Protocol

from webapp.arguments import integer
from webapp.claims import Claims
from webapp.rate_limit.answers import Answer
from webapp.window import Window
from webapp.workload import Workload


class RateLimit(Protocol):
    """What a mechanism's module has."""

    CLAIMS: Claims

    def hit(self, key: str, window: Window, limit: int) -> Answer:
        """Counts a request of the client `key`; at most `limit` are let through in the hour after the first."""


RATE_LIMIT = Workload(
    name="rate-limit",
    promise="no more requests than the limit are let through, and none is refused before",
    operations={"hit": False},
    arguments={"hit": {"limit": integer(1)}},
    windows=("io",),
    shows={fault: "over-limit" for fault in ("never-persists", "divergent", "lost-update")}
    | {"misreported": "over-refused", "stalled": "stalled"},
    table={
        # process
        "module-dict": "module_dict",
        "flask-limiter-memory": "flask_limiter_memory",
        # cluster
        "redis-get-set": "redis_get_set",
        "redis-incr": "redis_incr",
        "redis-lua": "redis_lua",
        "flask-limiter-redis": "flask_limiter_redis",
        "flask-limiter-redis-moving-window": "flask_limiter_redis_moving_window",
        "flask-limiter-memcached": "flask_limiter_memcached",
    },
)
