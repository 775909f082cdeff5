"""A shop: articles are put in stock, and clients buy them one by one."""

from typing import Protocol

from webapp.arguments import integer
from webapp.claims import Claims
from webapp.inventory.answers import Answer
from webapp.window import Window
from webapp.workload import Workload


class Inventory(Protocol):
    """What a mechanism's module has. An article that was never in stock is a 404."""

    CLAIMS: Claims

    def stock(self, key: str, window: Window, value: int) -> int:
        """Sets the stock of an article to `value`."""

    def buy(self, key: str, window: Window) -> Answer:
        """Takes one; the window comes between looking and taking."""

    def read(self, key: str) -> int:
        """How many are left."""


INVENTORY = Workload(
    name="inventory",
    promise="never more is sold than there was, and nobody is refused while there is stock",
    operations={"stock": False, "buy": False, "read": True},
    arguments={"stock": {"value": integer(0)}},
    windows=("io",),
    shows={fault: "oversold" for fault in ("never-persists", "divergent", "lost-update")} | {"stalled": "stalled"},
    table={
        # process
        "module-global": "module_global",
        "module-global-lock": "module_global_lock",
        # host
        "sqlite-naive": "sqlite_naive",
        "sqlite-for-update": "sqlite_for_update",
        "sqlite-conditional-update": "sqlite_conditional_update",
        # cluster
        "redis-naive": "redis_naive",
        "redis-lock-short-lease": "redis_lock_short_lease",
        "redis-lua": "redis_lua",
        "memcached-cas": "memcached_cas",
        "postgres-naive": "postgres_naive",
        "postgres-for-update": "postgres_for_update",
        "postgres-conditional-update": "postgres_conditional_update",
        "postgres-constraint": "postgres_constraint",
    },
)
