"""What is to be reproduced: a cell, what the theory predicts there, and the schedule that must show it."""

from collections.abc import Iterable
from collections.abc import Iterator
from dataclasses import dataclass

from statelab.catalogue import Catalogue
from statelab.catalogue import Claims
from statelab.deployments import Deployment
from statelab.errors import BadInput
from statelab.errors import require_known
from statelab.history import ServedBy
from statelab.repro import SCRIPTS
from statelab.repro.schedule import Schedule
from statelab.repro.schedule import Script
from statelab.results import Prediction
from statelab.theory import predict
from statelab.theory import reach

WINDOW = "io"
"""A gate lets others in where this window does: threads and greenlets alike."""

_IDENTITY = {
    "hosts": ("host",),
    "processes": ("boot",),
    "threads": ("boot", "thread"),
    "greenlets": ("boot", "greenlet"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`anomaly` is the predicted one that is to show (None: the theory says that none can), `fault` what the theory
    calls it (None: the same); `methods` are the HTTP methods of the workload's operations."""

    workload: str
    mechanism: str
    deployment: Deployment
    claims: Claims
    methods: dict[str, str]
    prediction: Prediction
    anomaly: str | None
    fault: str | None = None

    @property
    def name(self) -> str:
        return f"{self.workload}/{self.mechanism} on {self.deployment.name}"

    @property
    def script(self) -> Script:
        return SCRIPTS[self.workload]

    @property
    def schedule(self) -> Schedule:
        return self.script.schedules[self.fault or self.anomaly] if self.anomaly else self.script.attempt

    @property
    def red(self) -> bool:
        """Whether it is predicted violated by what requests do to each other, not by copies alone."""
        return self.anomaly is not None and self.schedule.gated

    @property
    def _apart(self) -> frozenset[str]:
        """Boundaries between two requests that the state does not cross."""
        return self.deployment.spread - reach(self.claims, self.deployment)

    def copy_of(self, server: ServedBy) -> tuple[object, ...]:
        """Whose copy of the state this server has: equal for two that share one."""
        names = dict.fromkeys(name for boundary in sorted(self._apart) for name in _IDENTITY[boundary])
        return tuple(getattr(server, name) for name in names)


def _fault(script: Script, faults: Iterable[str]) -> str | None:
    """The predicted fault to show: one that needs a gate before one that shows by itself."""
    known = [fault for fault in faults if fault in script.schedules]
    return next((fault for fault in known if script.schedules[fault].gated), next(iter(known), None))


def _target(catalogue: Catalogue, workload: str, mechanism: str, deployment: Deployment) -> Target:
    about = catalogue.workloads[workload]
    claims = about.mechanisms[mechanism].claims
    visible = {fault: fault for fault in about.shows}
    fault = _fault(SCRIPTS[workload], predict(claims, deployment, WINDOW, visible).anomalies)
    return Target(
        workload=workload,
        mechanism=mechanism,
        deployment=deployment,
        claims=claims,
        methods=about.operations,
        prediction=predict(claims, deployment, WINDOW, about.shows),
        anomaly=about.shows[fault] if fault else None,
        fault=fault,
    )


def _workloads(catalogue: Catalogue, wanted: str) -> list[str]:
    if wanted:
        require_known("workload", [wanted], list(catalogue.workloads))
    if wanted and wanted not in SCRIPTS:
        raise BadInput(f"nobody wrote schedules for the workload {wanted}: name a script in src/statelab/repro")
    return [wanted] if wanted else [name for name in catalogue.workloads if name in SCRIPTS]


def _named(catalogue: Catalogue, cell: str) -> Iterator[tuple[str, str]]:
    """Workload and mechanism of `workload/mechanism`; of all of them where the text is empty."""
    workload, slash, mechanism = cell.partition("/")
    if cell and not slash:
        raise BadInput(f"no cell {cell!r}: name it as WORKLOAD/MECHANISM, such as counter/module-global")
    for name in _workloads(catalogue, workload):
        mechanisms = list(catalogue.workloads[name].mechanisms)
        if mechanism:
            require_known("mechanism", [mechanism], mechanisms)
        yield from ((name, found) for found in mechanisms if mechanism in ("", found))


def targets(catalogue: Catalogue, deployments: dict[str, Deployment], cell: str, wanted: list[str]) -> list[Target]:
    """The cells of `workload/mechanism` (empty: all) under the wanted deployments (none: all), one after the other.

    Raises BadInput naming the valid names for an unknown one.
    """
    require_known("deployment", wanted, list(deployments))
    named = list(_named(catalogue, cell))
    chosen = [deployment for name, deployment in deployments.items() if name in (wanted or deployments)]
    return [_target(catalogue, *names, deployment) for deployment in chosen for names in named]
