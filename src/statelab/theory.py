"""The prediction rule: what must happen to a mechanism's state under a deployment, from claims and spread alone.

No mechanism and no deployment is named here. One that the rule gets wrong misses a claim.
"""

from collections.abc import Iterator

from statelab.catalogue import Claims
from statelab.deployments import Deployment
from statelab.results import Prediction

INTERLEAVES_ALWAYS = frozenset({"processes", "hosts"})
"""Boundaries across which two requests run side by side whatever the code does."""

WINDOW_SWITCHES = {
    "tight": frozenset[str](),
    "call": frozenset({"threads"}),  # gevent never preempts
    "yield": frozenset({"threads", "greenlets"}),
    "io": frozenset({"threads", "greenlets"}),
}
"""Boundaries at which each window lets another request in."""


def _named(boundaries: frozenset[str]) -> str:
    return " and ".join(sorted(boundaries))


def reach(claims: Claims, deployment: Deployment) -> frozenset[str]:
    """Boundaries that the state crosses under this deployment."""
    return claims.shared_across | (claims.inherited if deployment.forks_after_import else frozenset())


def _open_boundaries(claims: Claims, deployment: Deployment, window: str) -> frozenset[str]:
    """Boundaries of the spread at which another request can come between this update's read and write."""
    return deployment.spread & (INTERLEAVES_ALWAYS | WINDOW_SWITCHES[window] | claims.switches_inside)


def _copies(claims: Claims, deployment: Deployment) -> Iterator[tuple[str, str]]:
    crossed = reach(claims, deployment)
    if "requests" not in crossed:
        yield "never-persists", "the state ends with the request"
        return
    apart = deployment.spread - crossed
    if apart & deployment.fresh:
        yield "never-persists", f"the state does not cross {_named(apart & deployment.fresh)}, new for every request"
    elif apart:
        yield "divergent", f"the state does not cross {_named(apart)}: one copy on each side"


def _collisions(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    open_here = _open_boundaries(claims, deployment, window)
    exposed = (open_here & reach(claims, deployment)) - claims.atomic_across
    if exposed:
        yield "lost-update", f"{_named(exposed)} share the state and the update does not exclude them"
    elif claims.answers_later and open_here:
        yield "misreported", f"the answer is read after the update, and {_named(open_here)} may come between"


def _stalls(claims: Claims, deployment: Deployment, window: str) -> Iterator[tuple[str, str]]:
    if claims.blocks_hub and "greenlets" in deployment.spread and "greenlets" in WINDOW_SWITCHES[window]:
        yield "stalled", "a greenlet waits for its lock in a way that stops the one that holds it"


def _why_held(claims: Claims, deployment: Deployment) -> tuple[bool, str]:
    """Whether `held` is the mechanism's own promise in this deployment, and why."""
    if not deployment.spread:
        return True, "one request after the other in one process"
    unprotected = deployment.spread - claims.atomic_across
    if not unprotected and not claims.answers_later:
        return True, f"shared across {_named(deployment.spread)}, and an update excludes every other"
    return False, "nothing excludes other requests; this window only offers no place to let one in"


def predict(claims: Claims, deployment: Deployment, window: str) -> Prediction:
    """The rule of architecture.md, "The theory": anomalies that must be possible in this cell; none means `held`."""
    copies = list(_copies(claims, deployment))
    found = (
        copies
        if copies and copies[0][0] == "never-persists"
        else copies + list(_collisions(claims, deployment, window))
    )
    found += _stalls(claims, deployment, window)
    if found:
        return Prediction(
            anomalies=tuple(anomaly for anomaly, _ in found),
            guaranteed=False,
            reason="; ".join(reason for _, reason in found),
        )
    guaranteed, reason = _why_held(claims, deployment)
    return Prediction(anomalies=(), guaranteed=guaranteed, reason=reason)
