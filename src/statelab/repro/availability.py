"""Which targets this lab cannot offer, and why."""

from dataclasses import dataclass

from statelab.catalogue import fetch
from statelab.engines import Engine
from statelab.errors import Unavailable
from statelab.repro.targets import Target


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a cell is not there. `mendable`: a store or deployment is missing; else this server never has the cell."""

    reason: str
    mendable: bool


class Availability:
    """Asks each deployment once what it offers: the same app, but not under every server the same."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._offered: dict[str, dict[tuple[str, str], str | None] | str] = {}

    def lack(self, target: Target) -> Lack | None:
        """None where the target can be had."""
        store = self._engine.store_reasons().get(target.claims.store or "")
        offered = self._of(target.deployment.name)
        if store or isinstance(offered, str):
            return Lack(store or str(offered), mendable=True)
        reason = offered.get((target.workload, target.mechanism), "the app does not have it")
        return Lack(reason, mendable=False) if reason else None

    def _of(self, deployment: str) -> dict[tuple[str, str], str | None] | str:
        if deployment not in self._offered:
            self._offered[deployment] = self._ask(deployment)
        return self._offered[deployment]

    def _ask(self, deployment: str) -> dict[tuple[str, str], str | None] | str:
        try:
            workloads = fetch(self._engine.url(deployment)).workloads
        except Unavailable as error:
            return str(error)
        return {(name, m): about.unavailable for name, w in workloads.items() for m, about in w.mechanisms.items()}
