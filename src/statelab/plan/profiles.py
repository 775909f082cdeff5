"""The profiles, which say how much is measured; each is a literal."""

from collections.abc import Mapping
from dataclasses import dataclass

from statelab.core.errors import require_known
from statelab.plan.deployments import CLIENTS, ON_REQUEST

IN_PROCESS = frozenset({"request", "thread", "process"})
"""The reaches of mechanisms that keep their state in the memory of the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`mechanisms` and `deployments` by workload; None means all, and so does a workload that has no deployments here.
    Windows of `in_process_windows` are added for mechanisms in the app's own memory.

    A cell's load lasts at least `min_seconds` and `min_operations` and until every process has answered, at most
    `max_seconds`; `users` clients at once, each waiting at most `timeout_s` for an answer. `reuse` keeps connections.
    `survival`: the run also tries what the counter outlives. `folder`: the folder of its deployments in
    services/deployments. `columns`: the names of its only deployments, standard or on request (none named: all).
    `compared`: the report says which standard deployment each of these is like. `first`: the mechanisms (as
    workload/mechanism) whose cells are measured before all others. `rate`: the most requests a second, of all clients
    together (None: as many as are answered). `load_s`: seconds after the start of the first cell at which the load ends
    and no other cell is begun (None: all cells are measured).
    """

    name: str
    description: str
    mechanisms: Mapping[str, tuple[str, ...]] | None = None
    deployments: Mapping[str, tuple[str, ...]] | None = None
    windows: tuple[str, ...] = ("io",)
    in_process_windows: tuple[str, ...] = ()
    runs: int = 1
    users: int = CLIENTS
    min_seconds: float = 0.22
    max_seconds: float = 1.0
    min_operations: int = 30
    timeout_s: float = 3.0
    audits: int = 3
    reuse: bool = False
    survival: bool = True
    folder: str = ""
    columns: tuple[str, ...] = ()
    compared: bool = False
    first: tuple[str, ...] = ("counter/module-global",)
    rate: int | None = None
    load_s: float | None = None


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
"""By workload. For the counter, the mechanisms that the discussion names; for every other promise, one mechanism in
common use, and one that keeps the promise."""

TELLING = ("dev-threaded", "sync-4", "gthread-2x4", "gevent")
"""Deployments that show differences between mechanisms: with threads, with processes, with both, with greenlets."""

SEED_DEPLOYMENTS = {name: TELLING for name in SEED} | {"counter": ("dev-processes", "sync", *TELLING)}
"""The counter is also measured where each request has its own process, and where no boundary lies between requests."""

ONE_OF_EACH = {
    "counter": (
        "flask-g",
        "context-var",
        "thread-local",
        "module-global",
        "module-global-lock",
        "mp-value",
        "mp-manager",
        "mp-manager-lock",
        "sqlite-update",
        "redis-incr-get",
        "uwsgi-cache",
        "uwsgi-cache-inc",
        "uwsgi-sharedarea",
        "uwsgi-sharedarea-wlock",
    ),
    "unique-id": ("itertools-count", "module-counter", "random-seeded-at-import", "uuid4", "milliseconds"),
    "request-scope": ("flask-g", "flask-g-lasting-context", "context-var", "thread-local", "module-global"),
    "lock": (
        "threading-lock",
        "multiprocessing-lock",
        "file-flock",
        "uwsgi-lock",
        "memcached-add",
        "memcached-add-noreply",
    ),
    "inventory": ("module-global", "module-global-lock", "sqlite-conditional-update", "sqlite-naive"),
    "rate-limit": ("module-dict", "flask-limiter-memory", "redis-incr", "redis-get-set"),
    "cache": (
        "lru-cache",
        "flask-caching-filesystem",
        "memcached-cas",
        "single-flight",
        "versioned-single-flight",
    ),
    "session": (
        "current-user-global",
        "user-dict",
        "signed-cookie-random-key",
        "flask-session-filesystem",
        "flask-session-sqlalchemy",
        "signed-cookie",
        "cookie-id-redis",
    ),
    "once": (
        "idempotency-dict",
        "idempotency-redis-naive",
        "idempotency-redis-set-nx",
        "lazy-init-file-lock",
        "apscheduler-add-job",
        "apscheduler-every-worker",
        "apscheduler-leader-file",
        "uwsgi-spooler",
    ),
    "connection": (
        "sqlite-global",
        "sqlite-global-one-thread",
        "redis-global",
        "redis-before-fork",
        "memcached-global",
        "memcached-before-fork",
        "postgres-global",
        "postgres-before-fork",
        "sqlite-on-g",
        "postgres-closed-at-exit",
        "memcached-pool-before-fork",
        "postgres-pool-before-fork",
    ),
}
"""By workload. One mechanism for each group with the same prediction under every deployment, standard or in SERVERS,
and the mechanisms that only one of those servers offers."""

SERVERS = (
    "waitress",
    "uwsgi-4",
    "uwsgi-4-lazy",
    "uwsgi-threads",
    "uwsgi-gevent",
    "gevent-pywsgi",
    "granian-2x4",
    "uvicorn-2",
    "mod_wsgi-2x4",
    "mod_wsgi-embedded",
    "sync-recycling",
)
"""The servers of Flask's deployment page that the standard columns leave out, and a gunicorn that replaces its
worker."""

IN_MEMORY = (
    "module-global",
    "module-global-lock",
    "lru-cache",
    "flask-caching-simple",
    "cachelib-inc-simple",
    "mp-value",
)

ESSENTIALS, STANDARD, FREE_THREADED = "essentials", "standard", "free-threaded"
OTHER_NAMES = {"quick": ESSENTIALS}

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            name=ESSENTIALS,
            description="every promise, with mechanisms that people usually take, window io, about a minute",
            mechanisms=SEED,
            deployments=SEED_DEPLOYMENTS,
            min_seconds=0.15,
            survival=False,
        ),
        Profile(
            name=STANDARD,
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
        Profile(
            name="servers",
            description="the servers that are not in the standard columns, one mechanism of each kind, window io, "
            "and call and tight for what the app keeps in its memory",
            mechanisms=ONE_OF_EACH,
            in_process_windows=("call", "tight"),
            columns=SERVERS,
            min_seconds=0.15,
            survival=False,
            compared=True,
        ),
        Profile(
            name="replicas",
            description="every mechanism on one host and on two behind a balancer, in turn and by cookie, window io",
            columns=("gthread-2x4", "replicas-2-round-robin", "replicas-2-sticky"),
            compared=True,
        ),
        Profile(
            name=FREE_THREADED,
            description="counters in memory with and without the lock of the interpreter, windows tight and io",
            mechanisms={"counter": IN_MEMORY},
            columns=("dev-threaded", "gthread", "dev-threaded-free-threaded", "gthread-free-threaded"),
            windows=("tight", "io"),
            survival=False,
        ),
    )
}


def profile_of(name: str, *, picked: bool) -> Profile:
    """The profile of that name. Without a name it is `standard` if workloads, mechanisms, deployments, windows or
    another app are picked, so that these are measured completely; otherwise `essentials`. Raises BadInput."""
    name = OTHER_NAMES.get(name, name) or (STANDARD if picked else ESSENTIALS)
    require_known("profile", [name], list(PROFILES))
    return PROFILES[name]
