"""What a mechanism claims about its state. The theory predicts a cell from these claims and the deployment's spread,
and from nothing else.

Most claims are sets of boundaries: what may lie between two requests (two threads, two processes, ...). The claims are
grouped by subject; a mechanism states them together, as `Claims(shared_across=HOST, ...)`, and `GET /catalogue` serves
them together, each under its own name.
"""

from dataclasses import dataclass
from typing import Literal

Boundary = Literal["requests", "greenlets", "threads", "processes", "hosts"]
Survives = Literal["request", "worker", "server", "store"]

REQUEST: frozenset[Boundary] = frozenset()
THREAD: frozenset[Boundary] = frozenset({"requests"})
PROCESS: frozenset[Boundary] = frozenset({"requests", "greenlets", "threads"})
HOST: frozenset[Boundary] = PROCESS | {"processes"}
CLUSTER: frozenset[Boundary] = HOST | {"hosts"}
NOTHING: frozenset[Boundary] = frozenset()
"""Ready-made sets for state kept in a request, a thread (or greenlet), a process, a host, or one store for all."""

BLOCKING: frozenset[Boundary] = frozenset({"threads"})
SOCKETS: frozenset[Boundary] = frozenset({"threads", "greenlets"})
"""Ready-made sets for `switches_inside`: file and SQLite calls let threads in; sockets let greenlets in as well."""


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """Which requests share the state."""

    shared_across: frozenset[Boundary]
    """Boundaries that the state crosses."""
    inherited: frozenset[Boundary] = NOTHING
    """Boundaries that it also crosses if it was made before a fork."""
    unpatched: frozenset[Boundary] = NOTHING
    """Boundaries that it does not notice if it was made before gevent patched the standard library: then the state
    crosses them, and an update excludes nobody across them."""
    copies: Literal["alike", "alike-after-fork", "apart"] = "alike"
    """If each side of a boundary has its own copy: whether all copies start with the same content, only those
    that a fork made from one copy, or each with a different one."""
    of_importing_thread: bool = False
    """Only requests served by the thread that imported the app share it; other threads have their own."""
    in_context: bool = False
    """It is in a `ContextVar`. Where a server runs each request in a copy of the context in which the app was imported,
    all requests of a process see what was set at the import, and what a request sets ends with it."""
    keyed: bool = False
    """Each client finds its state by something that it sends, and never reaches another client's."""
    carried: bool = False
    """The state travels with the client's requests and answers: it is read when a request is sent, the last answer is
    what the client keeps, and what it has kept cannot be taken back."""


@dataclass(frozen=True, kw_only=True)
class Excluding:
    """Which requests an update keeps out, and how."""

    atomic_across: frozenset[Boundary]
    """Boundaries across which an update excludes every other update."""
    lease_ms: int | None = None
    """Milliseconds after which the exclusion ends although its holder is still at work (None: it does not)."""
    single_flight: frozenset[Boundary] = NOTHING
    """Boundaries across which requests that miss at the same time wait for the one that computes."""
    blocks_hub: bool = False
    """A request that waits for it stops every greenlet of the process."""
    blocks_unpatched: bool = False
    """The same, if it was made before gevent patched the standard library."""


@dataclass(frozen=True, kw_only=True)
class Switching:
    """Where another request can come in between."""

    switches_inside: frozenset[Boundary] = NOTHING
    """Boundaries (threads, greenlets) at which the code between read and write lets another request run, even if the
    window does nothing (socket I/O under gevent: both; file and SQLite I/O: threads)."""
    answers_later: bool = False
    """The value that is returned is read after the update, not with it."""
    written_whole: bool = False
    """All of it is read when a request begins and written back when it ends, changed or not."""
    name_reused: bool = False
    """The name under which a request has found the state (a row's number, a slot) may belong to another client by the
    time the request writes, because the name is free once the owner has ended the state."""


@dataclass(frozen=True, kw_only=True)
class Failing:
    """Which requests fail because they share the state."""

    fails_across: frozenset[Boundary] = NOTHING
    """Boundaries at which requests that share it sometimes fail."""
    fails_beside: frozenset[Boundary] = NOTHING
    """Boundaries beyond which other requests write to the data behind it: if they do, requests that share it fail if
    they meet inside a call (`switches_inside`)."""
    fails_in_turn: frozenset[Boundary] = NOTHING
    """Boundaries at which requests that share it fail even one after the other: the store has kept what one side did
    before, and the other side does not know of it (statements that a forked client has prepared in the session)."""
    notices: frozenset[Boundary] = NOTHING
    """Boundaries of `fails_across` at which requests fail before one of them is given what belongs to another. Where a
    failure makes the other requests of a process go on over a new connection, this holds only for processes that serve
    one request at a time."""
    untimed: bool = False
    """Across `fails_across`, a request whose answer was taken by another one waits for it without a time limit."""
    timed: bool = False
    """Across `fails_across`, such a request waits until the time limit of the store's client has passed. It keeps its
    thread meanwhile, and where a process has few threads, other requests wait for one."""


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """When the state begins and when it ends."""

    survives: Survives | None
    """The largest thing whose end the state outlives: the request, the worker, the server with all its workers and
    helpers, the store it is in; None: it ends with the request."""
    left_to: Literal["interpreter", "process"] | None = None
    """Who closes what a request opens: the interpreter, once nothing refers to it any more, which it does not promise;
    or the process, at its end; None: the request itself."""
    not_after_fork: bool = False
    """Its documentation forbids the use after a fork of what was opened before it."""
    thread: Literal["import", "first-use"] | None = None
    """A thread does the work later: one that is started when the app is imported, and does not survive a fork, or one
    that each process starts at its first use; None: the request does the work."""
    resumed: bool = False
    """If a process ends with work undone, another process goes on with it."""


@dataclass(frozen=True, kw_only=True)
class Replacing:
    """Where the state is kept and for what; the nearest fix is chosen by this."""

    store: Literal["redis", "memcached", "postgres"] | None = None
    """The store it needs."""
    server: Literal["gunicorn", "uwsgi"] | None = None
    """The kind of server that provides it; other servers have none."""
    medium: Literal["file", "sqlite", "manager"] | None = None
    """What holds the state where no server does: a file, a SQLite database, the process of a manager; None: the memory
    of the app, or the store."""
    part: Literal["retry", "start", "schedule"] | None = None
    """Which part of the workload's promise it keeps, where a workload makes several: a mechanism for another part is no
    replacement."""


@dataclass(frozen=True, kw_only=True)
class Claims(Sharing, Excluding, Switching, Failing, Lifetime, Replacing):
    """All claims of a mechanism."""
