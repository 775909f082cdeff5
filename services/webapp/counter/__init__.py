"""A counter shared by all requests: each increment adds one and answers the new value."""

from typing import Protocol

from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class Counter(Protocol):
    """What a mechanism's module has. There is no default: each one spells its update out."""

    CLAIMS: Claims

    def increment(self, key: str, window: Window) -> int:
        """Adds one to the counter `key` (0 at first) and returns the new value."""

    def read(self, key: str) -> int:
        """The counter's value, 0 where nothing was counted."""


COUNTER = Workload(
    name="counter",
    promise="every acknowledged increment counts once, and no two are told the same number",
    operations={"increment": False, "read": True},
    table={
        "flask-g": "flask_g",
        "thread-local": "thread_local",
        "module-global": "module_global",
        "redis-get-set": "redis_get_set",
        "redis-incr": "redis_incr",
        "file-flock": "file_flock",
    },
)
