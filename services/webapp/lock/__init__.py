"""A lock: each request takes it, works for the length of its window, and releases it."""

from typing import NoReturn, Protocol

from webapp.claims import Claims
from webapp.lock.section import Answer
from webapp.window import Window
from webapp.workload import Workload


class Lock(Protocol):
    """What a mechanism's module has."""

    CLAIMS: Claims

    def work(self, key: str, window: Window) -> Answer:
        """Holds the lock `key` for the window and answers from when to when; `busy` or `refused` if it did no work."""

    def release(self, key: str) -> NoReturn:
        """Refuses: only the request that holds the lock releases it, even if the lock itself would allow others to."""


LOCK = Workload(
    name="lock",
    promise="no two requests hold the lock at the same time, and a dead holder does not keep it for ever",
    operations={"work": False, "release": False},
    windows=("io",),
    shows={fault: "two-holders" for fault in ("never-persists", "copies-at-once", "lost-update")}
    | {"stalled": "stalled"},
    table={
        # process
        "threading-lock": "threading_lock",
        # host
        "multiprocessing-lock": "multiprocessing_lock",
        "file-flock": "file_flock",
        "uwsgi-lock": "uwsgi_lock",
        # cluster
        "memcached-add": "memcached_add",
        "memcached-add-noreply": "memcached_add_noreply",
        "redis-lock": "redis_lock",
        "redis-lock-short-lease": "redis_lock_short_lease",
        "redis-lock-fencing": "redis_lock_fencing",
        "postgres-advisory-lock": "postgres_advisory_lock",
    },
)
