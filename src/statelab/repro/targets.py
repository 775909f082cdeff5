"""What is to be reproduced: a cell, the theory's prediction for it, and the schedule that must show the anomaly."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from statelab.core.errors import BadInput, require_known
from statelab.core.operation import ServedBy
from statelab.core.results import Prediction
from statelab.plan.catalogue import Catalogue, Claims, require_workloads
from statelab.plan.deployments import Deployment
from statelab.repro import script_of
from statelab.repro.schedule import Place, Schedule, Script
from statelab.theory.rule import between, exposed, predict, reach

WINDOW = "io"
"""A gate lets other requests in as this window does: threads and greenlets."""

_IDENTITY = {
    "hosts": ("host",),
    "processes": ("boot",),
    "threads": ("boot", "thread"),
    "greenlets": ("boot", "greenlet"),
}


NOBODY_CHOOSES = (
    "requests to one copy of the state come one after the other here, "
    "and a client cannot choose the process that serves the next one"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`anomaly` is the predicted one that should show (None: the theory says that none can), `fault` the theory's name
    for it (None: the same); `methods` are the HTTP methods of the workload's operations."""

    workload: str
    mechanism: str
    deployment: Deployment
    claims: Claims
    methods: dict[str, str]
    prediction: Prediction
    anomaly: str | None
    fault: str | None = None

    @property
    def cell(self) -> tuple[str, str, str]:
        return self.workload, self.mechanism, self.deployment.name

    @property
    def name(self) -> str:
        return f"{self.workload}/{self.mechanism} on {self.deployment.name}"

    @property
    def script(self) -> Script:
        return script_of(self.workload)

    @property
    def schedule(self) -> Schedule:
        return self.script.schedules[self.fault or self.anomaly] if self.anomaly else self.script.attempt

    @property
    def unplayed(self) -> str | None:
        """Why the anomaly cannot be shown on demand; None if it can."""
        fault = self.fault or self.anomaly
        if fault is None:
            return None
        if fault not in self.script.schedules:
            return f"there is no schedule for {fault} in {self.workload}"
        if self.schedule.in_one_copy and self.one_at_a_time:
            return NOBODY_CHOOSES
        return self.script.unheld.get(self.mechanism) if self.schedule.gated else None

    @property
    def red(self) -> bool:
        """Whether requests are predicted to break the promise by what they do to each other, and a gate can show it."""
        return self.anomaly is not None and self.unplayed is None and self.schedule.gated

    @property
    def handed_down(self) -> bool:
        """Whether processes inherit the state by a fork."""
        return bool(self.claims.inherited) and self.deployment.forks_after_import

    @property
    def apart(self) -> frozenset[str]:
        """Boundaries between two requests that the state does not cross."""
        return between(self.claims, self.deployment) - reach(self.claims, self.deployment)

    @property
    def one_at_a_time(self) -> bool:
        """Whether requests to one copy of the state come one after the other, because whatever lets requests run side
        by side here gives each its own copy."""
        return bool(self.apart) and between(self.claims, self.deployment) <= self.apart

    def copy_of(self, server: ServedBy) -> tuple[object, ...]:
        """Names the copy of the state that this server has: equal for two servers that share it."""
        names = dict.fromkeys(name for boundary in sorted(self.apart) for name in _IDENTITY[boundary])
        return tuple(getattr(server, name) for name in names)

    def leads_apart(self, place: Place) -> bool:
        """Whether it matters which connection a request uses. It does not if all connections lead to one process, or to
        the only one that there is at that time, or if no two requests are ever in the same process or copy at once."""
        if self.deployment.expected_processes in (1, None) or "processes" in self.deployment.in_turn:
            return False
        return place != "one-copy" or not (self.one_at_a_time or self.apart & self.deployment.fresh)

    def fits(self, one: ServedBy, other: ServedBy, place: Place) -> bool:
        """Whether requests to these two servers meet as the schedule needs it."""
        same_process, same_copy = one.boot == other.boot, self.copy_of(one) == self.copy_of(other)
        if place == "one-copy":
            return same_copy and not (same_process and self._guarded_inside)
        return same_process if place == "one-process" else not same_copy

    @property
    def _guarded_inside(self) -> bool:
        """Whether requests of one process exclude each other, while those of several processes do not."""
        open_here = exposed(self.claims, self.deployment, WINDOW)
        return bool(open_here) and not open_here & {"threads", "greenlets"}


def _targets(catalogue: Catalogue, workload: str, mechanism: str, deployment: Deployment) -> Iterator[Target]:
    """One target for each predicted anomaly, those that need a gate first; if none is predicted, one without
    anomaly."""
    about = catalogue.workloads[workload]
    claims = about.mechanisms[mechanism].claims
    faults = predict(claims, deployment, WINDOW, {fault: fault for fault in about.shows}).anomalies
    bare = Target(
        workload=workload,
        mechanism=mechanism,
        deployment=deployment,
        claims=claims,
        methods=about.operations,
        prediction=predict(claims, deployment, WINDOW, about.shows),
        anomaly=None,
    )
    if not faults:
        yield bare
    found = [replace(bare, anomaly=about.shows[fault], fault=fault) for fault in faults]
    found.sort(key=lambda target: (not target.red, target.unplayed is not None))
    by_anomaly: dict[str | None, Target] = {}
    for target in found:
        by_anomaly.setdefault(target.anomaly, target)
    yield from by_anomaly.values()


def _named(catalogue: Catalogue, cell: str) -> Iterator[tuple[str, str]]:
    """Workload and mechanism of `workload/mechanism`; all of them if the text is empty."""
    workload, slash, mechanism = cell.partition("/")
    if cell and not slash:
        raise BadInput(f"no cell {cell!r}: name it as WORKLOAD/MECHANISM, such as counter/module-global")
    if workload:
        require_workloads([workload], catalogue)
    for name in [workload] if workload else catalogue.workloads:
        script_of(name)
        mechanisms = list(catalogue.workloads[name].mechanisms)
        if mechanism:
            require_known("mechanism", [mechanism], mechanisms)
        yield from ((name, found) for found in mechanisms if mechanism in ("", found))


def targets(catalogue: Catalogue, deployments: dict[str, Deployment], cell: str, wanted: list[str]) -> list[Target]:
    """The targets of `workload/mechanism` (empty: all) under the wanted deployments (none: all), by deployment.

    Raises BadInput naming the valid names for an unknown one.
    """
    require_known("deployment", wanted, list(deployments))
    named = list(_named(catalogue, cell))
    chosen = [deployment for name, deployment in deployments.items() if name in (wanted or deployments)]
    return [target for deployment in chosen for names in named for target in _targets(catalogue, *names, deployment)]


def played_of_each(found: list[Target]) -> list[Target]:
    """For each cell, the anomalies that a gate shows; if there are none, those that need no gate, or the attempt where
    none is predicted."""
    by_cell: dict[tuple[str, str, str], list[Target]] = {}
    for target in found:
        by_cell.setdefault(target.cell, []).append(target)
    chosen = []
    for cell in by_cell.values():
        playable = [target for target in cell if target.unplayed is None]
        chosen += [target for target in playable if target.red] or playable
    return chosen


def played(found: list[Target]) -> list[Target]:
    """The same for one cell. Raises BadInput with the reason if nothing can be played."""
    chosen = played_of_each(found)
    if not chosen:
        raise BadInput(
            "; ".join(f"{target.name}: {target.anomaly} is not shown here: {target.unplayed}" for target in found)
        )
    return chosen
