"""Identifiers: each request gets a new one that no other request has."""

from typing import Protocol

from webapp.claims import Claims
from webapp.window import Window
from webapp.workload import Workload


class UniqueId(Protocol):
    """What a mechanism's module has."""

    CLAIMS: Claims

    def new_id(self, key: str, window: Window) -> int | str:
        """An id that no other request for the same `key` gets."""


UNIQUE_ID = Workload(
    name="unique-id",
    promise="no two requests are given the same id",
    operations={"new-id": False},
    windows=("io",),
    shows={fault: "duplicate-id" for fault in ("never-persists", "divergent", "lost-update")} | {"stalled": "stalled"},
    table={
        # process
        "itertools-count": "itertools_count",
        "module-counter": "module_counter",
        "random-seeded-at-import": "random_seeded_at_import",
        # nothing to share
        "uuid4": "uuid4",
        # cluster
        "milliseconds": "milliseconds",
        "redis-incr": "redis_incr",
        "postgres-sequence": "postgres_sequence",
    },
)
