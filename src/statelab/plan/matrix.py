"""Which cells a run measures: workload x mechanism x deployment x window, as selected."""

from collections.abc import Iterator
from dataclasses import dataclass

from statelab.core.errors import require_known
from statelab.core.results import CellKey
from statelab.plan import catalogue as app
from statelab.plan.catalogue import Catalogue
from statelab.plan.catalogue import Workload
from statelab.plan.deployments import Deployment
from statelab.plan.profiles import IN_PROCESS
from statelab.plan.profiles import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the person asked for; an empty list means what the profile says."""

    workloads: list[str]
    mechanisms: list[str]
    deployments: list[str]
    windows: list[str]


def _windows(profile: Profile, group: str) -> tuple[str, ...]:
    return profile.windows + (profile.in_process_windows if group in IN_PROCESS else ())


def _mechanisms(name: str, workload: Workload, profile: Profile, selection: Selection) -> list[str]:
    """Those of a workload that are wanted, in the order of its table."""
    of_profile = workload.mechanisms if profile.mechanisms is None else profile.mechanisms.get(name, ())
    wanted = selection.mechanisms or (workload.mechanisms if selection.workloads and not of_profile else of_profile)
    return [mechanism for mechanism in workload.mechanisms if mechanism in wanted]


def _deployments(name: str, deployments: dict[str, Deployment], profile: Profile) -> list[str]:
    """Those under which a workload is measured, in the order of the tables."""
    wanted = (profile.deployments or {}).get(name, tuple(deployments))
    return [deployment for deployment in deployments if deployment in wanted]


def _cells_of(
    name: str, catalogue: Catalogue, deployments: dict[str, Deployment], profile: Profile, selection: Selection
) -> Iterator[CellKey]:
    workload = catalogue.workloads[name]
    served = selection.deployments or _deployments(name, deployments, profile)
    servers = {deployments[deployment].server for deployment in served}
    for mechanism in _mechanisms(name, workload, profile, selection):
        claims = workload.mechanisms[mechanism].claims
        if mechanism not in selection.mechanisms and not any(map(claims.offered_by, servers)):
            continue  # else a row of which every cell is unavailable
        group = app.group(claims)
        for window in selection.windows or _windows(profile, group):
            if workload.windows and window not in workload.windows:
                continue
            for deployment in served:
                yield CellKey(workload=name, mechanism=mechanism, deployment=deployment, window=window)


def select(
    catalogue: Catalogue, deployments: dict[str, Deployment], profile: Profile, selection: Selection
) -> list[CellKey]:
    """The cells to measure, in the order of the tables; raises BadInput naming the valid names for an unknown one."""
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
