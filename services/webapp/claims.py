"""What a mechanism claims about itself, as sets of the boundaries that two requests may have between them."""

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
"""Ready-made reaches: state kept in a request, a thread (or greenlet), a process, a host, or one store for all."""

BLOCKING: frozenset[Boundary] = frozenset({"threads"})
SOCKETS: frozenset[Boundary] = frozenset({"threads", "greenlets"})
"""Ready-made ways from read to write: calls, files and SQLite let threads in; sockets let greenlets in as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The theory predicts a cell from these and the deployment's spread, and from nothing else.

    shared_across    boundaries that the state really crosses
    atomic_across    boundaries across which an update excludes every other
    switches_inside  at which of greenlets and threads the way from read to write lets another request in although the
                     window put nothing there (socket I/O under gevent: both; file and SQLite I/O: threads)
    inherited        boundaries it also crosses when it was made before a fork
    unpatched        boundaries that it does not see when it was made before gevent patched the standard library: then
                     it crosses them, and excludes nobody across them
    answers_later    the value returned is read apart from the update
    single_flight    boundaries across which those who miss together wait for one that computes
    fails_across     boundaries at which requests that share it fail, now and then
    fails_beside     boundaries beyond which others write to what lies behind: then requests fail that share it and come
                     between each other inside of a call (`switches_inside`)
    notices          across `fails_across` they fail before one of them is given what belongs to another
    untimed          across those, one whose answer another one took waits for it without a limit
    not_after_fork   what was opened before a fork must not be used after it, its documentation says
    left_to          who closes what a request opens: the interpreter, once nothing refers to it any more, which it does
                     not promise; or the process, at its end; None: the request itself
    blocks_hub       a wait in it stops every greenlet of the process
    blocks_unpatched so it does when it was made before gevent patched the standard library
    survives         the largest thing whose end the state outlives: the request, the worker, the server with all its
                     workers and helpers, the store it is in; None where it ends with the request
    lease_ms         after how many ms its exclusion ends though its holder goes on (None: it does not)
    thread           a thread does the work later: one that is started when the app is imported, and does not survive a
                     fork, or one that each process starts at its first use; None: the request does it
    store            the server it needs: redis, memcached, postgres; None where it needs none
    medium           what keeps it where no server does: a file, a SQLite database, the process of a manager; None: the
                     memory of the app, or the store
    part             which part of the workload's promise it keeps, where a workload makes several: a mechanism for
                     another part does not replace it
    copies           where each side of a boundary has a copy of its own: whether all copies begin alike, only those
                     made by forking one that was there already, or each one somewhere else
    of_importing_thread  only requests served by the thread that imported the app share it; others have their own
    keyed            each client finds the state by something that it brings, and never meets another client's
    carried          the state travels with the client's requests and answers: it is read when a request is sent, the
                     last answer is what the client keeps, and what it has kept nobody can take back
    written_whole    all of it is read when a request begins and written back when it ends, changed or not
    name_reused      what a request that has found the state names it by (a row's number, a slot) may be given to
                     somebody else before the request writes: once the owner has ended the state, nothing keeps the name
    """

    shared_across: frozenset[Boundary]
    atomic_across: frozenset[Boundary]
    survives: Survives | None
    switches_inside: frozenset[Boundary] = NOTHING
    inherited: frozenset[Boundary] = NOTHING
    unpatched: frozenset[Boundary] = NOTHING
    answers_later: bool = False
    single_flight: frozenset[Boundary] = NOTHING
    fails_across: frozenset[Boundary] = NOTHING
    fails_beside: frozenset[Boundary] = NOTHING
    notices: bool = False
    untimed: bool = False
    not_after_fork: bool = False
    left_to: Literal["interpreter", "process"] | None = None
    blocks_hub: bool = False
    blocks_unpatched: bool = False
    lease_ms: int | None = None
    thread: Literal["import", "first-use"] | None = None
    store: Literal["redis", "memcached", "postgres"] | None = None
    medium: Literal["file", "sqlite", "manager"] | None = None
    part: Literal["retry", "start", "schedule"] | None = None
    copies: Literal["alike", "alike-after-fork", "apart"] = "alike"
    of_importing_thread: bool = False
    keyed: bool = False
    carried: bool = False
    written_whole: bool = False
    name_reused: bool = False
