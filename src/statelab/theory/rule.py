"""The prediction rule: what must happen to a mechanism's state under a deployment, from claims and spread alone.

The rule finds faults. A workload says which of them its clients see, and under which name (`shows`): a lost update may
be a number given twice, an article sold twice, or a limit that lets too many through. No mechanism, workload or
deployment is named here. If the rule is wrong about a mechanism, a claim is missing.
"""

from collections.abc import Iterator, Mapping

from statelab.core.results import Prediction
from statelab.plan.catalogue import FAULTS, Claims, Excluding, Lifetime, Sharing
from statelab.plan.deployments import Deployment

INTERLEAVES_ALWAYS = frozenset({"processes", "hosts"})
"""Boundaries across which two requests can always run at the same time, whatever the code does."""

WINDOW_SWITCHES = {
    "tight": frozenset[str](),
    "call": frozenset({"threads"}),  # gevent never preempts
    "yield": frozenset({"threads", "greenlets"}),
    "io": frozenset({"threads", "greenlets"}),
}
"""For each window, the boundaries across which another request can come in."""

WINDOW_MS = {"tight": 0, "call": 0, "yield": 0, "io": 2}
"""How long each window lasts."""

WIDEST = "io"

LIFETIMES = (None, "request", "worker", "server", "store")
"""What state can outlive (the claim `survives`), shortest first."""

AS_FOUND = {fault: fault for fault in FAULTS}
"""The names of the faults for a workload that gives them no names of its own."""


def _named(boundaries: frozenset[str]) -> str:
    return " and ".join(sorted(boundaries))


IN_PROCESS = frozenset({"threads", "greenlets"})
WITHIN_A_PROCESS = frozenset({"requests", "greenlets", "threads"})


def _copied(claims: Sharing, deployment: Deployment) -> bool:
    """Whether each request has a copy of the context that the state is in."""
    return claims.in_context and deployment.copies_context


def _out_of_the_way(claims: Sharing, deployment: Deployment) -> bool:
    """Whether no request can find the state: none is served by the thread that has it, or in a copy of that thread's
    context."""
    return claims.of_importing_thread and not deployment.serves_where_imported and not _copied(claims, deployment)


def between(claims: Sharing, deployment: Deployment) -> frozenset[str]:
    """Boundaries between two requests that look for the same state. If the state is `keyed`, both requests come from
    the same client."""
    return deployment.spread - (deployment.between_clients if claims.keyed else frozenset())


def reach(claims: Sharing, deployment: Deployment) -> frozenset[str]:
    """Boundaries that the state crosses under this deployment."""
    if _out_of_the_way(claims, deployment):
        return frozenset()
    if _copied(claims, deployment):  # copies are shallow: what was there at the import is the same in all of them
        return WITHIN_A_PROCESS if claims.of_importing_thread else frozenset()
    inherited = claims.inherited if deployment.forks_after_import else frozenset()
    return claims.shared_across | inherited | (claims.unpatched if deployment.unpatched_at_import else frozenset())


def _excluded(claims: Claims, deployment: Deployment) -> frozenset[str]:
    """Boundaries across which an update excludes every other under this deployment."""
    return claims.atomic_across - (claims.unpatched if deployment.unpatched_at_import else frozenset())


def _open_boundaries(claims: Claims, deployment: Deployment, window: str) -> frozenset[str]:
    """Boundaries of the spread at which another request can come between this update's read and write."""
    side_by_side = between(claims, deployment) - deployment.in_turn
    always = INTERLEAVES_ALWAYS | (frozenset({"threads"}) if deployment.parallel else frozenset())
    return side_by_side & (always | WINDOW_SWITCHES[window] | claims.switches_inside)


def _copies(claims: Sharing, deployment: Deployment) -> Iterator[tuple[str, str]]:
    if claims.copies == "apart" or (claims.copies == "alike-after-fork" and not deployment.forks_after_import):
        return  # copies that start at different values never give the same one
    crossed = reach(claims, deployment)
    if "requests" not in crossed:
        yield "never-persists", "the state ends with the request"
        return
    apart = between(claims, deployment) - crossed
    if apart & deployment.fresh:
        yield "never-persists", f"the state does not cross {_named(apart & deployment.fresh)}, new for every request"
    elif apart:
        yield "divergent", f"the state does not cross {_named(apart)}: one copy on each side"
        if at_once := apart - deployment.in_turn:
            yield "copies-at-once", f"the state does not cross {_named(at_once)}, which run at the same time"


def exposed(claims: Claims, deployment: Deployment, window: str) -> frozenset[str]:
    """Boundaries across which another request may reach the state between this update's read and write: the state
    crosses them, and the update does not exclude others there."""
    open_here = _open_boundaries(claims, deployment, window)
    return (open_here & reach(claims, deployment)) - _excluded(claims, deployment)


def _collisions(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    open_here = _open_boundaries(claims, deployment, window)
    met, unguarded = open_here & reach(claims, deployment), exposed(claims, deployment, window)
    if claims.carried:
        yield "lost-update", "each request carries the client's state as it was when it was sent; the last answer wins"
    elif met and claims.lease_ms is not None and WINDOW_MS[window] > claims.lease_ms:
        yield "lost-update", f"what excludes {_named(met)} ends after {claims.lease_ms} ms, before the update does"
    elif unguarded:
        yield "lost-update", f"{_named(unguarded)} share the state and the update does not exclude them"
    elif claims.answers_later and met:
        yield "misreported", f"the answer is read after the update, and other {_named(met)} may come between"


def _stalls(claims: Excluding, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    blocks = claims.blocks_hub or (claims.blocks_unpatched and deployment.unpatched_at_import)
    if blocks and "greenlets" in (deployment.spread - deployment.in_turn) & WINDOW_SWITCHES[window]:
        yield "stalled", "a greenlet that waits for the lock stops all greenlets, also the one that holds the lock"


def _recomputations(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    """Whether several requests compute the same at the same time, although one would be enough."""
    together = _open_boundaries(claims, deployment, window) - claims.single_flight
    if together:
        yield "computed-at-once", f"{_named(together)} miss together, and none waits for what another one computes"


def _leaks(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    """What others see of a request's own state, while the request is running and after it has ended."""
    if claims.keyed:
        return
    crossed = reach(claims, deployment)
    met = exposed(claims, deployment, window)
    if met & claims.fails_across:
        yield "fails-when-shared", f"{_named(met & claims.fails_across)} share the state, and so requests fail"
    unaware = deployment.spread & crossed & claims.fails_in_turn
    if unaware:
        yield (
            "fails-when-shared",
            f"{_named(unaware)} share what the store keeps for them, and do not know of each other",
        )
    beside = deployment.spread & claims.fails_beside
    if met & claims.switches_inside and beside:
        yield (
            "fails-when-shared",
            f"{_named(met)} share the state, and other {_named(beside)} write to the data behind it",
        )
    if claims.untimed and met & claims.fails_across:
        yield "stalled", "if another request takes its answer, a request waits for it without a time limit"
    one_at_a_time = not deployment.spread & IN_PROCESS
    if met - (claims.notices if one_at_a_time or claims.notices & IN_PROCESS else frozenset()):
        yield "seen-by-others", f"{_named(met)} share the state while a request is running"
    if claims.timed and met & claims.fails_across and deployment.queues:
        yield (
            "queued",
            "requests whose answers others took keep their threads until a time limit has passed, and a process has "
            "fewer threads than the load has clients: some requests wait for several such limits",
        )
    fresh = (deployment.spread - crossed) & deployment.fresh
    if "requests" in crossed and not fresh:
        yield "left-behind", "the state outlives the request, and a later one finds it"
        yield "ended-by-others", "one request that ends it ends it for all"


def _unclosed(claims: Lifetime, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """What requests leave open until the end of a process that outlives them."""
    if claims.left_to == "process" and "processes" not in deployment.fresh:
        yield "left-open", "what a request opens is closed only when the process ends"
        yield "used-up", "in the end the store can open no more"


def _endings(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    """State that comes back after it was ended, and writes under a name that has meanwhile been given to somebody
    else."""
    if claims.carried:
        yield "never-ends", "what a client has kept cannot be taken back"
    unguarded = exposed(claims, deployment, window)
    if claims.written_whole and unguarded:
        yield "revived", f"a request running in other {_named(unguarded)} writes back what was ended meanwhile"
    if claims.name_reused and unguarded:
        yield (
            "name-reused",
            f"a request running in other {_named(unguarded)} writes to a name that is another's by then",
        )


def _undone(claims: Claims, deployment: Deployment) -> Iterator[tuple[str, str]]:
    """Work that is left to a thread and never done."""
    handed_over = "processes" in reach(claims, deployment)
    greenlet = "greenlets" in deployment.fresh and not deployment.unpatched_at_import  # a fork has a copy of it
    if claims.thread == "import" and deployment.forks_after_import and not handed_over and not greenlet:
        yield "never-done", "the thread that does the work did not survive the fork"
    if claims.thread == "first-use" and "processes" in deployment.fresh:
        yield "never-done", "the process, and the thread in it, ends before the work is due"
    done_beside = handed_over and "processes" not in deployment.in_turn
    if claims.thread and deployment.recycled and not claims.resumed and not done_beside:
        yield "never-done", "a worker that is replaced loses the work that it has accepted and not yet done"


def _faults(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    """Each fault with its reason. Work that is never done has no other fault."""
    undone = list(_undone(claims, deployment))
    if undone:
        yield from undone
        return
    copies = list(_copies(claims, deployment))
    yield from copies
    if "never-persists" not in (fault for fault, _ in copies):
        yield from _collisions(claims, deployment, window)
    yield from _recomputations(claims, deployment, window)
    yield from _leaks(claims, deployment, window)
    yield from _unclosed(claims, deployment)
    yield from _endings(claims, deployment, window)
    yield from _stalls(claims, deployment, window)


def _why_held(claims: Claims, deployment: Deployment, visible: Mapping[str, str]) -> tuple[bool, str]:
    """Whether `held` is guaranteed by the mechanism in this deployment, and why."""
    if claims.left_to and "left-open" in visible:
        return False, f"the {claims.left_to} must close what a request opens"
    if claims.not_after_fork and deployment.forks_after_import:
        return False, "it was opened before the fork, and its documentation forbids its use afterwards"
    if not deployment.spread:
        return True, "one request after the other in one process"
    if _out_of_the_way(claims, deployment):
        return False, "no request is served by the thread that imported the app"
    widest = {fault for fault, _ in _faults(claims, deployment, WIDEST) if fault in visible}
    if widest - {"stalled"}:
        return False, "nothing excludes other requests; this window only has no switch point"
    met = between(claims, deployment)
    if met <= reach(claims, deployment) & _excluded(claims, deployment):
        return True, f"shared across {_named(met)}, and an update excludes every other"
    return True, "nothing that requests share can do harm here"


def predict(claims: Claims, deployment: Deployment, window: str, shows: Mapping[str, str] = AS_FOUND) -> Prediction:
    """The rule of docs/theory.md: the anomalies that must be possible in this cell; none means `held`."""
    found = [(shows[fault], reason) for fault, reason in _faults(claims, deployment, window) if fault in shows]
    if found:
        return Prediction(
            anomalies=tuple(dict.fromkeys(anomaly for anomaly, _ in found)),
            guaranteed=False,
            reason="; ".join(reason for _, reason in found),
        )
    guaranteed, reason = _why_held(claims, deployment, shows)
    return Prediction(anomalies=(), guaranteed=guaranteed, reason=reason)


def outlives(claims: Claims, ending: str) -> bool | None:
    """Whether the state is still there when `ending` has ended: the request, worker, server, store or everything at
    once, or the host that served the client (another host serves the client from then on).

    None if `ending` is the store and the state needs no store."""
    if ending == "host":
        return "hosts" in claims.shared_across
    if ending == "store" and claims.store is None:
        return None
    last = "store" if claims.store else "server"
    return LIFETIMES.index(claims.survives) >= LIFETIMES.index(last if ending == "everything" else ending)
