"""The kinds of worlds in which a story is served one request after the other, and which deployments have each.

This follows from what the theory says about a deployment (spread, fresh, in turn, forks after import); no deployment
and no server is named here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from statelab.audit.play import At, World
from statelab.plan.deployments import Deployment

PROCESSES = frozenset({"processes", "hosts"})
FRESH_THREADS = frozenset({"threads", "greenlets"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of world. `worlds(n)` are its worlds for a story of n requests, compared with `base(n)`; `where` says
    whether a deployment has them. `after_threads`: only if the import left threads. `answers_only`: if the import left
    threads, files depend on how long these ran and are not compared. `several_hosts`: each host has its own files, and
    they are not compared."""

    name: str
    anomaly: str
    words: str
    base: Callable[[int], World]
    worlds: Callable[[int], Iterator[World]]
    where: Callable[[Deployment], bool]
    after_threads: bool = False
    answers_only: bool = False
    several_hosts: bool = False


def reference(requests: int) -> World:
    """One process, its one thread, one request after the other."""
    return World(kind="reference", at=(At("a1"),) * requests)


def other_import(requests: int) -> World:
    """The same in a process that imported the app by itself."""
    return World(kind="reference", at=(At("b1"),) * requests)


def forked_alone(requests: int) -> World:
    """The same in a fork of the process that imported the app."""
    return replace(reference(requests), forked=True)


def imported_twice(requests: int) -> World:
    """The same beside another process that imported the app and serves nothing."""
    return replace(reference(requests), beside="b")


def _only(world: Callable[[int], World]) -> Callable[[int], Iterator[World]]:
    def worlds(requests: int) -> Iterator[World]:
        yield world(requests)

    return worlds


def _two(one: str, other: str, *, forked: bool) -> Callable[[int], Iterator[World]]:
    def worlds(requests: int) -> Iterator[World]:
        for first in range(1, requests):
            yield World(kind="apart", at=(At(one),) * first + (At(other),) * (requests - first), forked=forked)
        if requests > 2:
            at = tuple(At(other if index % 2 else one) for index in range(requests))
            yield World(kind="apart", at=at, forked=forked)

    return worlds


def _each(requests: int) -> Iterator[World]:
    if requests > 1:
        yield World(kind="each", at=tuple(At(f"a{index + 1}") for index in range(requests)), forked=True)


def _replaced(requests: int) -> Iterator[World]:
    """For each request a world in which the process ends after it, and a new process serves the rest. In the world of
    the last request nothing is left to serve: it shows the effect of the end itself."""
    for first in range(1, requests + 1):
        at = (At("a1"),) * first + (At("b1"),) * (requests - first)
        yield World(kind="restart", at=at, ends_after=first, beside="b")


def side_by_side(deployment: Deployment) -> bool:
    return bool((deployment.spread - deployment.in_turn) & PROCESSES)


def each_imports(deployment: Deployment) -> bool:
    """Whether processes that serve side by side each imported the app themselves; processes on two hosts always did."""
    return side_by_side(deployment) and (not deployment.forks_after_import or has_hosts(deployment))


def apart_by_import(deployment: Deployment) -> bool:
    """The same for processes that may both serve one client."""
    spread = deployment.spread - deployment.in_turn - deployment.between_clients
    return bool(spread & PROCESSES) and each_imports(deployment)


def has_hosts(deployment: Deployment) -> bool:
    return "hosts" in deployment.spread - deployment.in_turn


def hosts_for_one_client(deployment: Deployment) -> bool:
    """Whether the requests of one client may go to several hosts; a balancer may prevent that."""
    return has_hosts(deployment) and "hosts" not in deployment.between_clients


APART_FORKED = Kind(
    "apart-forked",
    "divergent",
    "served by two processes that were forked after the import",
    forked_alone,
    _two("a1", "a2", forked=True),
    lambda deployment: (
        "processes" in deployment.spread - deployment.in_turn
        and deployment.forks_after_import
        and not deployment.fresh & PROCESSES
    ),
)
APART_ANEW = Kind(
    "apart-anew",
    "divergent",
    "served by two processes that each imported the app",
    imported_twice,
    _two("a1", "b1", forked=False),
    apart_by_import,
)
HOSTS = Kind(
    "hosts",
    "divergent",
    "served by two hosts, each with files of its own",
    reference,
    _two("a1", "h1", forked=False),
    has_hosts,
    several_hosts=True,
)
EACH = Kind(
    "each",
    "never-persists",
    "each request served by a process of its own",
    forked_alone,
    _each,
    lambda deployment: bool(deployment.fresh & PROCESSES),
)
RESTART = Kind(
    "restart",
    "lost-at-restart",
    "the worker replaced in between",
    imported_twice,
    _replaced,
    lambda deployment: deployment.recycled,
    answers_only=True,
)


def _threads(requests: int) -> Iterator[World]:
    for first in range(1, requests):
        yield World(kind="threads", at=(At("a1", "one"),) * first + (At("a1", "two"),) * (requests - first))


def _each_thread(requests: int) -> Iterator[World]:
    if requests > 1:
        yield World(kind="threads", at=(At("a1", "new"),) * requests)


THREADS = Kind(
    "threads",
    "divergent",
    "served by two threads of one process",
    reference,
    _threads,
    lambda deployment: "threads" in deployment.spread - deployment.fresh,
)
EACH_THREAD = Kind(
    "each-thread",
    "never-persists",
    "each request served by a thread of its own",
    reference,
    _each_thread,
    lambda deployment: bool(deployment.fresh & FRESH_THREADS) and not deployment.unpatched_at_import,
)
ELSEWHERE = Kind(
    "elsewhere",
    "divergent",
    "served by another thread than the one that imported the app",
    reference,
    _only(lambda requests: World(kind="threads", at=(At("a1", "one"),) * requests)),
    lambda deployment: not deployment.serves_where_imported,
)

IMPORTED_TWICE = Kind(
    "imported-twice",
    "ran-n-times",
    "served by one process while another one has imported the app too",
    reference,
    _only(imported_twice),
    each_imports,
)
FORKED_ALONE = Kind(
    "forked-alone",
    "never-ran",
    "served by a process that was forked after the import",
    reference,
    _only(forked_alone),
    lambda deployment: deployment.forks_after_import,
    after_threads=True,
)

SERIAL = (IMPORTED_TWICE, FORKED_ALONE, APART_FORKED, APART_ANEW, HOSTS, EACH, RESTART, ELSEWHERE, THREADS, EACH_THREAD)
