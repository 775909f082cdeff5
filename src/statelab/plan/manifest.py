"""What a run was meant to measure, under which conditions, and what came of it."""

from typing import Any

import msgspec

from statelab.core.ask import Ask
from statelab.core.results import CellKey
from statelab.core.results import Survival
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment
from statelab.plan.profiles import Profile


class Manifest(msgspec.Struct, kw_only=True):
    """Everything the judgement needs besides the histories; written before the load and again at the end.

    `asks` is empty for the lab's own app; for another one it has, by mechanism, the request that each operation is.
    `survivors` are the counter's mechanisms for which it is tried what they outlive, `survival` is the result.
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
    asks: dict[str, dict[str, Ask]] = {}
    versions: dict[str, str] = {}
    unavailable: dict[str, str] = {}
    durations_s: dict[str, float] = {}
    stopped: str | None = None
    notes: list[str] = []
    measured: list[str] = []
    survivors: list[str] = []
    survival: list[Survival] = []

    def key(self, run: int, index: int) -> str:
        """The key of one cell's state in one run: nobody ever used it before, so every cell starts from nothing."""
        return f"{self.token}-r{run}-c{index}"

    def why_unavailable(self, cell: CellKey) -> str | None:
        """What a cell's deployment lacks: the deployment itself, the store, or the mechanism on that server."""
        store = self.catalogue.workloads[cell.workload].mechanisms[cell.mechanism].claims.store
        for name in (cell.deployment, store, f"{cell.mechanism} on {cell.deployment}"):
            if name in self.unavailable:
                return self.unavailable[name]
        return None
