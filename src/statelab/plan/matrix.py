"""Which cells a run measures: workload x mechanism x deployment x window, as selected."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from statelab.core.errors import require_known
from statelab.core.results import CellKey
from statelab.plan import catalogue as app
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment
from statelab.plan.profiles import IN_PROCESS, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The user's selection; an empty list means the profile decides."""

    workloads: list[str]
    mechanisms: list[str]
    deployments: list[str]
    windows: list[str]


def _cells_of(
    name: str, catalogue: Catalogue, deployments: dict[str, Deployment], profile: Profile, selection: Selection
) -> Iterator[CellKey]:
    """The cells of one workload: mechanisms in the order of its table, deployments in the order of the tables."""
    workload = catalogue.workloads[name]
    of_profile = (profile.deployments or {}).get(name, tuple(deployments))
    served = selection.deployments or [deployment for deployment in deployments if deployment in of_profile]
    servers = {deployments[deployment].server for deployment in served}
    wanted: Collection[str] = workload.mechanisms if profile.mechanisms is None else profile.mechanisms.get(name, ())
    if selection.workloads and not wanted:
        wanted = workload.mechanisms  # the profile has no mechanism of a workload that was asked for
    wanted = selection.mechanisms or wanted
    for mechanism in (mechanism for mechanism in workload.mechanisms if mechanism in wanted):
        claims = workload.mechanisms[mechanism].claims
        if mechanism not in selection.mechanisms and not any(map(claims.offered_by, servers)):
            continue  # otherwise every cell of this row would be unavailable
        in_memory = app.group(claims) in IN_PROCESS
        for window in selection.windows or profile.windows + (profile.in_process_windows if in_memory else ()):
            if workload.windows and window not in workload.windows:
                continue
            for deployment in served:
                yield CellKey(workload=name, mechanism=mechanism, deployment=deployment, window=window)


def select(
    catalogue: Catalogue, deployments: dict[str, Deployment], profile: Profile, selection: Selection
) -> list[CellKey]:
    """The cells to measure, in the order of the tables. For an unknown name, raises BadInput with the valid names."""
    app.require_workloads(selection.workloads, catalogue)
    mechanisms = [name for workload in catalogue.workloads.values() for name in workload.mechanisms]
    require_known("mechanism", selection.mechanisms, mechanisms)
    require_known("deployment", selection.deployments, list(deployments))
    require_known("window", selection.windows, catalogue.windows)
    return [
        cell
        for name in selection.workloads or catalogue.workloads
        for cell in _cells_of(name, catalogue, deployments, profile, selection)
    ]
