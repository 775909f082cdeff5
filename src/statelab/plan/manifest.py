"""What a run was to measure, under which conditions, and how it ended."""

from typing import Any

import msgspec

from statelab.core.ask import Ask
from statelab.core.results import CellKey, Survival
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment
from statelab.plan.profiles import Profile


class Manifest(msgspec.Struct, kw_only=True):
    """Everything the judgement needs besides the histories; written before the load and again at the end.

    `asks` is empty for the lab's own app; for another app it has, by mechanism, the request for each operation.
    `standard`: the deployments that those of the run are compared with, by prediction alone. `survivors` are the
    counter's mechanisms for which the run tries what their state outlives; `survival` is the result.
    """

    started: str
    profile: Profile
    engine: str
    engine_reason: str
    seed: int
    token: str
    runs: int
    cells: list[CellKey]
    catalogue: Catalogue
    deployments: list[Deployment]
    machine: dict[str, Any]
    standard: list[Deployment] = []
    asks: dict[str, dict[str, Ask]] = {}
    versions: dict[str, str] = {}
    unavailable: dict[str, str] = {}
    durations_s: dict[str, float] = {}
    stopped: str | None = None
    notes: list[str] = []
    measured: list[str] = []
    survivors: list[str] = []
    survival: list[Survival] = []

    def __post_init__(self) -> None:
        """Raises ValueError if it says nothing about one of its own cells."""
        deployments = {deployment.name for deployment in self.deployments}
        for cell in self.cells:
            workload = self.catalogue.workloads.get(cell.workload)
            if workload is None or cell.mechanism not in workload.mechanisms or cell.deployment not in deployments:
                name = f"{cell.workload}/{cell.mechanism} under {cell.deployment}"
                raise ValueError(f"it says nothing about its own cell {name}")

    def deployment(self, name: str) -> Deployment:
        return next(deployment for deployment in self.deployments if deployment.name == name)

    def key(self, run: int, index: int) -> str:
        """The key of one cell's state in one run. It was never used before, so every cell starts from nothing."""
        return f"{self.token}-r{run}-c{index}"

    def why_unavailable(self, cell: CellKey) -> str | None:
        """What a cell's deployment lacks: the deployment itself, the store, or the mechanism on that server."""
        store = self.catalogue.workloads[cell.workload].mechanisms[cell.mechanism].claims.store
        for name in (cell.deployment, store, f"{cell.mechanism} on {cell.deployment}"):
            if name in self.unavailable:
                return self.unavailable[name]
        return None


def made_by(manifest: bytes) -> str:
    """The version of the lab that wrote a manifest, which may not have the present form."""
    try:
        return f"commit {msgspec.json.decode(manifest)['machine']['commit']} made the run"
    except (msgspec.MsgspecError, UnicodeDecodeError, LookupError, TypeError):
        return "it does not say which version made it"
