"""Fixes for a mechanism that breaks under a deployment: the nearest one that holds there, and one that lasts.

The rules name no mechanism. A fix is another mechanism of the same workload that

- keeps the same part of the workload's promise;
- reaches at least as far and outlives at least as much, unless clients see no fault in state that is not kept (the
  workload's `shows` has no `never-persists`);
- is guaranteed to hold by the theory, in every window, even if all requests that this deployment serves one after the
  other came at the same time.

The nearest fix (`candidates`) is the one that

1. keeps the state in the same place: same reach, same store, same lifetime; then
2. needs no other store; then
3. widens the reach least; then
4. changes the fewest lines of code; then
5. comes first in the workload's table.

A lasting fix (`lasting_candidates`) holds under every deployment, and its state outlives a worker. The order is: same
store or medium first, then farthest reach, then shortest code, then the workload's table.

A run shows only fixes that it saw hold: the nearest one under the same deployment in every window that was measured,
the lasting one under every deployment.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from statelab.core.results import Cell, Fix
from statelab.plan.catalogue import REACHES, Catalogue, Claims, Mechanism, Workload, group
from statelab.plan.deployments import Deployment
from statelab.theory.code_diff import diff
from statelab.theory.rule import LIFETIMES, WINDOW_SWITCHES, outlives, predict


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A mechanism that may replace a broken one. Sorted, the nearest comes first. `changed` is how many lines differ, 0
    if there is no source."""

    elsewhere: bool
    other_store: bool
    wider_by: int
    changed: int
    place: int
    name: str


def candidates(workload: Workload, broken: str, deployment: Deployment) -> list[Candidate]:
    """Mechanisms that hold under the deployment and can replace `broken`, by the theory alone, nearest first."""
    mechanism = workload.mechanisms[broken]
    return sorted(
        Candidate(
            elsewhere=_place(mechanism.claims) != _place(other.claims),
            other_store=mechanism.claims.store != other.claims.store,
            wider_by=_reach(other.claims) - _reach(mechanism.claims),
            changed=diff(mechanism.source, other.source).changed if mechanism.source and other.source else 0,
            place=place,
            name=name,
        )
        for place, (name, other) in enumerate(workload.mechanisms.items())
        if name != broken
        and _keeps(workload, mechanism.claims, other.claims)
        and _promises(workload, other.claims, deployment)
    )


def _place(claims: Claims) -> tuple[str, str | None, str | None]:
    return group(claims), claims.store, claims.survives


def _reach(claims: Claims) -> int:
    return REACHES.index(group(claims))


def _lifetime(claims: Claims) -> int:
    return LIFETIMES.index(claims.survives) if claims.survives in LIFETIMES else 0


def _keeps(workload: Workload, broken: Claims, other: Claims) -> bool:
    """Whether `other` does the same job and, if clients would see a fault otherwise, reaches as far and lasts as
    long."""
    if broken.part != other.part:
        return False
    if "never-persists" not in workload.shows:
        return True
    return _reach(other) >= _reach(broken) and _lifetime(other) >= _lifetime(broken)


def _promises(workload: Workload, claims: Claims, deployment: Deployment) -> bool:
    """Whether the deployment's server offers it, and whether it is guaranteed to hold with every window, even if
    requests did not come one after the other."""
    if not claims.offered_by(deployment.server):
        return False
    crowded = msgspec.structs.replace(deployment, in_turn=frozenset())
    for served in (deployment, crowded):
        predictions = (predict(claims, served, window, workload.shows) for window in WINDOW_SWITCHES)
        if not all(prediction.guaranteed and not prediction.anomalies for prediction in predictions):
            return False
    return True


def lasting_candidates(workload: Workload, broken: str, deployments: Iterable[Deployment]) -> list[str]:
    """Mechanisms that hold under all the deployments and outlive a worker, by the theory alone, best first."""
    claims, served = workload.mechanisms[broken].claims, list(deployments)

    def rank(numbered: tuple[int, tuple[str, Mechanism]]) -> tuple[bool, int, int, int]:
        place, (_, other) = numbered
        kept_in, other_kept_in = (claims.store, claims.medium), (other.claims.store, other.claims.medium)
        same = any(kept_in) and other_kept_in == kept_in
        return not same, -_reach(other.claims), len((other.source or "").split("\n")), place

    return [
        name
        for _, (name, other) in sorted(enumerate(workload.mechanisms.items()), key=rank)
        if name != broken
        and _keeps(workload, claims, other.claims)
        and ("never-persists" not in workload.shows or outlives(other.claims, "worker"))
        and all(_promises(workload, other.claims, deployment) for deployment in served)
    ]


class Fixes:
    """The fixes of one run: ranked by the theory, and seen to hold in the run."""

    def __init__(self, cells: list[Cell], catalogue: Catalogue, deployments: Mapping[str, Deployment]) -> None:
        self._cells: dict[tuple[str, str], list[Cell]] = {}
        for cell in cells:
            self._cells.setdefault((cell.workload, cell.mechanism), []).append(cell)
        self._catalogue = catalogue
        self._deployments = deployments
        self._nearest: dict[tuple[str, str, str], list[str]] = {}
        self._lasting: dict[tuple[str, str], list[str]] = {}

    def nearest(self, cell: Cell) -> Fix | None:
        """The nearest mechanism that was seen to hold, if this cell is violated; None if the run has none."""
        passed_over: list[str] = []
        for name in self._ranking(cell) if cell.verdict == "violated" else ():
            here = [other for other in self._of(cell, name) if other.deployment == cell.deployment]
            same = _with_window(here, cell.window)
            if same and all(other.verdict == "held" for other in here):
                return _fix(cell, same, passed_over)
            passed_over.append(name)
        return None

    def lasting(self, cell: Cell) -> Fix | None:
        """A mechanism that outlives a worker and was seen to hold in every cell of this run that could be measured."""
        if cell.verdict != "violated":
            return None
        key = cell.workload, cell.mechanism
        if key not in self._lasting:
            workload = self._catalogue.workloads[cell.workload]
            self._lasting[key] = lasting_candidates(workload, cell.mechanism, self._deployments.values())
        for name in self._lasting[key]:
            measured = [other for other in self._of(cell, name) if other.verdict != "unavailable"]
            same = _with_window([other for other in measured if other.deployment == cell.deployment], cell.window)
            if same and all(other.verdict == "held" for other in measured):
                return _fix(cell, same, [])
        return None

    def why_none(self, cell: Cell) -> str:
        """Why a violated cell has no fix, as a sentence without its full stop."""
        ranked = self._ranking(cell)
        if not ranked:
            return (
                "the theory predicts of no other mechanism that does the same job, reaches as far and lasts as long "
                "that it holds here"
            )
        here = [other for other in self._of(cell, ranked[0]) if other.deployment == cell.deployment]
        found = _with_window(here, cell.window)
        verdict = found.verdict.replace("-", " ") if found else "not measured"
        if verdict == "held":
            window = next(other.window for other in here if other.verdict != "held")
            return f"the nearest by the theory, `{ranked[0]}`, did not hold with window {window}, nor did any other"
        return f"the nearest by the theory, `{ranked[0]}`, was {verdict} with this window, and no other held"

    def _of(self, cell: Cell, mechanism: str) -> list[Cell]:
        return self._cells.get((cell.workload, mechanism), [])

    def _ranking(self, cell: Cell) -> list[str]:
        key = cell.workload, cell.mechanism, cell.deployment
        if key not in self._nearest:
            workload = self._catalogue.workloads[cell.workload]
            found = candidates(workload, cell.mechanism, self._deployments[cell.deployment])
            self._nearest[key] = [candidate.name for candidate in found]
        return self._nearest[key]


def _with_window(cells: list[Cell], window: str) -> Cell | None:
    return next((cell for cell in cells if cell.window == window), None)


def _fix(broken: Cell, other: Cell, passed_over: list[str]) -> Fix:
    p95 = [cell.latency_ms.p95 if cell.latency_ms else None for cell in (broken, other)]
    return Fix(
        mechanism=other.mechanism,
        rate_ratio=_ratio(broken.rate_ops_s, other.rate_ops_s),
        p95_ratio=_ratio(*p95),
        passed_over=passed_over,
    )


def _ratio(before: float | None, after: float | None) -> float | None:
    return after / before if before and after is not None else None


def with_fixes(cells: list[Cell], fixes: Fixes) -> list[Cell]:
    """The cells; each violated one has its fixes, unless nothing is claimed of its mechanism."""
    return [
        msgspec.structs.replace(cell, fix=fixes.nearest(cell), lasting_fix=fixes.lasting(cell))
        if cell.verdict == "violated" and cell.claimed
        else cell
        for cell in cells
    ]


def unfixed(cells: list[Cell], fixes: Fixes) -> Iterator[tuple[str, Cell]]:
    """Each violated cell that has no fix, with the reason."""
    broken = (cell for cell in cells if cell.verdict == "violated" and cell.claimed)
    return ((fixes.why_none(cell), cell) for cell in broken if cell.fix is None)
