"""How much is measured: the profiles, each a literal."""

from collections.abc import Mapping
from dataclasses import dataclass

IN_PROCESS = frozenset({"request", "thread", "process"})
"""Reaches whose mechanisms keep their state in the memory of the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`mechanisms` by workload; None means all of all.
    Windows of `in_process_windows` are added for mechanisms in the app's own memory.

    A cell's load lasts at least `min_seconds` and `min_operations` and until every process has answered, at most
    `max_seconds`; `users` clients at once, each waiting at most `timeout_s` for an answer. `reuse` keeps connections.
    """

    name: str
    description: str
    mechanisms: Mapping[str, tuple[str, ...]] | None = None
    windows: tuple[str, ...] = ("io",)
    in_process_windows: tuple[str, ...] = ()
    runs: int = 1
    users: int = 8
    min_seconds: float = 0.25
    max_seconds: float = 1.0
    min_operations: int = 30
    timeout_s: float = 4.0
    audits: int = 3
    reuse: bool = False


SEED = {
    "counter": (
        "flask-g",
        "module-global",
        "module-global-lock",
        "mp-manager",
        "flask-caching-filesystem",
        "redis-get-set",
        "redis-incr",
        "memcached-get-set",
        "memcached-incr",
        "cachelib-inc-memcached",
        "postgres-read-write",
        "postgres-update",
    ),
}
"""The mechanisms that the discussion names which everybody finds first, by workload."""

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name="quick",
            description="what everybody is told to use, window io, under a minute",
            mechanisms=SEED,
            min_seconds=0.15,
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
    )
}
