"""How much is measured: the profiles, each a literal."""

from collections.abc import Mapping
from dataclasses import dataclass

from statelab.plan.deployments import ON_REQUEST

IN_PROCESS = frozenset({"request", "thread", "process"})
"""Reaches whose mechanisms keep their state in the memory of the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`mechanisms` and `deployments` by workload; None means all, and so does a workload that has no deployments here.
    Windows of `in_process_windows` are added for mechanisms in the app's own memory.

    A cell's load lasts at least `min_seconds` and `min_operations` and until every process has answered, at most
    `max_seconds`; `users` clients at once, each waiting at most `timeout_s` for an answer. `reuse` keeps connections.
    `survival`: what the counter outlives is tried as well. `folder`: its deployments' folder in services/deployments.
    """

    name: str
    description: str
    mechanisms: Mapping[str, tuple[str, ...]] | None = None
    deployments: Mapping[str, tuple[str, ...]] | None = None
    windows: tuple[str, ...] = ("io",)
    in_process_windows: tuple[str, ...] = ()
    runs: int = 1
    users: int = 8
    min_seconds: float = 0.22
    max_seconds: float = 1.0
    min_operations: int = 30
    timeout_s: float = 3.0
    audits: int = 3
    reuse: bool = False
    survival: bool = True
    folder: str = ""


SEED = {
    "counter": (
        "flask-g",
        "module-global",
        "module-global-lock",
        "mp-manager-lock",
        "flask-caching-filesystem",
        "redis-get-set",
        "redis-incr",
        "memcached-incr",
        "postgres-read-write",
        "postgres-update",
    ),
    "unique-id": ("module-counter", "uuid4"),
    "request-scope": ("flask-g", "thread-local"),
    "lock": ("threading-lock", "redis-lock"),
    "inventory": ("postgres-naive", "postgres-conditional-update"),
    "rate-limit": ("flask-limiter-memory", "flask-limiter-redis"),
    "cache": ("flask-caching-redis", "versioned-single-flight"),
    "session": ("flask-session-filesystem", "cookie-id-postgres"),
    "once": ("idempotency-redis-naive", "idempotency-redis-set-nx"),
    "connection": ("postgres-global", "postgres-on-g"),
}
"""By workload. For the counter, the mechanisms that the discussion names; for every other promise, one mechanism that
people usually take, and one that keeps the promise."""

TELLING = ("dev-threaded", "sync-4", "gthread-2x4", "gevent")
"""Deployments that tell mechanisms apart: by threads, by processes, by both, by greenlets."""

SEED_DEPLOYMENTS = {name: TELLING for name in SEED} | {"counter": ("dev-processes", "sync", *TELLING)}
"""The counter is also measured where each request has a process of its own, and where nothing lies between requests."""

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="quick",
            description="every promise, with mechanisms that people usually take, window io, under a minute",
            mechanisms=SEED,
            deployments=SEED_DEPLOYMENTS,
            min_seconds=0.15,
            survival=False,
        ),
        Profile(
            name="standard",
            description="every mechanism, windows call and io, and tight for what the app keeps in its memory",
            windows=("call", "io"),
            in_process_windows=("tight",),
        ),
        Profile(
            name="thorough",
            description="the standard profile ten times on fresh servers, with intervals",
            windows=("call", "io"),
            in_process_windows=("tight",),
            runs=10,
        ),
        Profile(
            name="on-request",
            description="every mechanism under the deployments that are not columns of the standard tables, window io",
            folder=ON_REQUEST,
            survival=False,
        ),
    )
}
