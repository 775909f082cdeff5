"""What is to be reproduced: a cell, what the theory predicts there, and the schedule that must show it."""

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import replace

from statelab.core.errors import BadInput
from statelab.core.errors import require_known
from statelab.core.operation import ServedBy
from statelab.core.results import Prediction
from statelab.plan.catalogue import Catalogue
from statelab.plan.catalogue import Claims
from statelab.plan.catalogue import require_workloads
from statelab.plan.deployments import Deployment
from statelab.repro import script_of
from statelab.repro.schedule import Place
from statelab.repro.schedule import Schedule
from statelab.repro.schedule import Script
from statelab.theory.rule import exposed
from statelab.theory.rule import predict
from statelab.theory.rule import reach

WINDOW = "io"
"""A gate lets others in where this window does: threads and greenlets alike."""

_IDENTITY = {
    "hosts": ("host",),
    "processes": ("boot",),
    "threads": ("boot", "thread"),
    "greenlets": ("boot", "greenlet"),
}


NOBODY_CHOOSES = (
    "requests to one copy of the state follow each other here, "
    "and nobody can choose the process that serves the next one"
)


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
        """Why the anomaly is not shown on demand; None: it is."""
        fault = self.fault or self.anomaly
        if fault is None:
            return None
        if fault not in self.script.schedules:
            return f"nobody wrote a schedule for {fault} in {self.workload}"
        alone = bool(self.apart) and self.deployment.spread <= self.apart
        if self.schedule.in_one_copy and alone:
            return NOBODY_CHOOSES
        return self.script.unheld.get(self.mechanism) if self.schedule.gated else None

    @property
    def red(self) -> bool:
        """Whether it is predicted violated by what requests do to each other, and a gate can show it."""
        return self.anomaly is not None and self.unplayed is None and self.schedule.gated

    @property
    def handed_down(self) -> bool:
        """Whether processes have the state from a fork."""
        return bool(self.claims.inherited) and self.deployment.forks_after_import

    @property
    def apart(self) -> frozenset[str]:
        """Boundaries between two requests that the state does not cross."""
        return self.deployment.spread - reach(self.claims, self.deployment)

    def copy_of(self, server: ServedBy) -> tuple[object, ...]:
        """Whose copy of the state this server has: equal for two that share one."""
        names = dict.fromkeys(name for boundary in sorted(self.apart) for name in _IDENTITY[boundary])
        return tuple(getattr(server, name) for name in names)

    def leads_apart(self, place: Place) -> bool:
        """Whether it matters over which connection a request goes: not where all lead to one process, nor where none
        leads to the same one, or to the same copy, again."""
        if self.deployment.expected_processes in (1, None):
            return False
        return place != "one-copy" or not self.apart & self.deployment.fresh

    def fits(self, one: ServedBy, other: ServedBy, place: Place) -> bool:
        """Whether requests to these two meet as a schedule wants it."""
        same_process, same_copy = one.boot == other.boot, self.copy_of(one) == self.copy_of(other)
        if place == "one-copy":
            return same_copy and not (same_process and self._guarded_inside)
        return same_process if place == "one-process" else not same_copy

    @property
    def _guarded_inside(self) -> bool:
        """Whether requests of one process exclude each other, though others do not."""
        open_here = exposed(self.claims, self.deployment, WINDOW)
        return bool(open_here) and not open_here & {"threads", "greenlets"}


def _targets(catalogue: Catalogue, workload: str, mechanism: str, deployment: Deployment) -> Iterator[Target]:
    """One for each anomaly that is predicted, those that need a gate first; one without where none is."""
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
    """Workload and mechanism of `workload/mechanism`; of all of them where the text is empty."""
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
    """Those of `workload/mechanism` (empty: of all cells) under the wanted deployments (none: all), one by one.

    Raises BadInput naming the valid names for an unknown one.
    """
    require_known("deployment", wanted, list(deployments))
    named = list(_named(catalogue, cell))
    chosen = [deployment for name, deployment in deployments.items() if name in (wanted or deployments)]
    return [target for deployment in chosen for names in named for target in _targets(catalogue, *names, deployment)]


def played_of_each(found: list[Target]) -> list[Target]:
    """Of each cell the anomalies that a gate shows, else those that show by themselves, or what is tried where none is
    predicted."""
    by_cell: dict[tuple[str, str, str], list[Target]] = {}
    for target in found:
        by_cell.setdefault(target.cell, []).append(target)
    chosen = []
    for cell in by_cell.values():
        playable = [target for target in cell if target.unplayed is None]
        chosen += [target for target in playable if target.red] or playable
    return chosen


def played(found: list[Target]) -> list[Target]:
    """The same of one cell. Raises BadInput with the reason where there is nothing to play."""
    chosen = played_of_each(found)
    if not chosen:
        raise BadInput(
            "; ".join(f"{target.name}: {target.anomaly} is not shown here: {target.unplayed}" for target in found)
        )
    return chosen
