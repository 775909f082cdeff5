"""The failures that people report, as questions: what is seen, when it shows, and which of the remaining ones it is.

Made of failures.toml and the deployments alone. The answer to when a failure shows is the difference between the
deployment that shows it and the one that hides it.
"""

from dataclasses import dataclass
from functools import cache

from statelab.core.paths import DEPLOYMENTS
from statelab.core.results import ANOMALIES
from statelab.plan.deployments import Deployment, load_all
from statelab.theory import failures
from statelab.theory.failures import Failure


@dataclass(frozen=True, slots=True)
class Reported:
    """A failure with its number on docs/failures.md, and how it is served where it does not show and where it does."""

    number: int
    failure: Failure
    hidden: str
    shown: str

    @property
    def address(self) -> str:
        return f"finder.{self.number}"

    @property
    def meaning(self) -> str:
        return ANOMALIES[self.failure.anomaly]

    @property
    def row(self) -> str:
        """The address on a report's page of the cell that shows it."""
        cell = self.failure.showing
        return f"{cell.workload}.{cell.mechanism}.{cell.deployment}.{cell.window}"


When = dict[str, list[Reported]]


def when(hidden: Deployment, shown: Deployment) -> str:
    """The answer to `When does it show?`."""
    if shown.environment.get("GEVENT_PATCH") == "late":
        return "only under gevent, where something was imported before gevent patched"
    if shown.recycled:
        return "only when a worker has been replaced"
    if shown.forks_after_import and not hidden.forks_after_import:
        return "only where workers are forked after the import (--preload, or uWSGI without lazy-apps)"
    if shown.worker_class == "gevent":
        return "only under gevent"
    if shown.workers > 1:
        return "only with several workers, or processes"
    if shown.threads > 1:
        return "only with several threads in one worker"
    return "even with one worker that serves one request at a time"


@cache
def questions() -> dict[str, When]:
    """What is seen -> when it shows -> the failures that are left, in the order of failures.toml."""
    told = failures.load()
    known = load_all(DEPLOYMENTS, {name for failure in told for name in (failure.hidden, failure.shown)})
    found: dict[str, When] = {}
    for number, failure in enumerate(told, 1):
        hidden, shown = known[failure.hidden], known[failure.shown]
        left = found.setdefault(failure.seen, {}).setdefault(when(hidden, shown), [])
        left.append(Reported(number, failure, hidden.description, shown.description))
    return found
