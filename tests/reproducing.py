"""Names for what the tests of reproductions take: how to find a target, and how to play it."""

from collections.abc import Callable
from typing import Protocol

from statelab.repro.outcome import Outcome
from statelab.repro.targets import Target


class Find(Protocol):
    """The target of a cell under a deployment; of one that shows several anomalies, that of one."""

    def __call__(self, cell: str, deployment: str, anomaly: str | None = None) -> Target: ...


Reproduce = Callable[[Target], Outcome]
