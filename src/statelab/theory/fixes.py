"""For a mechanism that breaks under a deployment, the nearest one that holds there, and what the change costs.

The rule, which names no mechanism. What can be a fix: another mechanism of the workload that is predicted to hold by
its own promise whatever the window, that keeps the same part of the workload's promise, reaches at least as far and
outlives at least as much; but where clients see no fault in state that is not kept (no `never-persists` among the
workload's `shows`), less is no loss. Nearest is what

1. is kept in the same place: same reach, same store, outliving the same; then
2. needs no other store; then
3. widens the reach least; then
4. changes the fewest lines of code; then
5. comes first in the workload's table.

In a run, moreover, it was seen to hold in the same deployment with the same window.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from statelab.core.results import Cell
from statelab.core.results import Fix
from statelab.plan.catalogue import REACHES
from statelab.plan.catalogue import Catalogue
from statelab.plan.catalogue import Claims
from statelab.plan.catalogue import Mechanism
from statelab.plan.catalogue import Workload
from statelab.plan.catalogue import group
from statelab.plan.deployments import Deployment
from statelab.theory.code_diff import diff
from statelab.theory.rule import LIFETIMES
from statelab.theory.rule import WINDOW_SWITCHES
from statelab.theory.rule import predict


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """One that may replace a broken mechanism; the smaller, the nearer. `changed` lines are 0 where an app shows no
    source."""

    elsewhere: bool
    other_store: bool
    wider_by: int
    changed: int
    place: int
    name: str


def candidates(workload: Workload, broken: str, deployment: Deployment) -> list[Candidate]:
    """What holds under the deployment in the place of `broken`, by the theory alone, nearest first."""
    mechanism = workload.mechanisms[broken]
    return sorted(
        _candidate(mechanism, other, place, name)
        for place, (name, other) in enumerate(workload.mechanisms.items())
        if name != broken
        and _keeps(workload, mechanism.claims, other.claims)
        and _promises(workload, other.claims, deployment)
    )


def _candidate(broken: Mechanism, other: Mechanism, place: int, name: str) -> Candidate:
    return Candidate(
        elsewhere=_place(broken.claims) != _place(other.claims),
        other_store=broken.claims.store != other.claims.store,
        wider_by=_reach(other.claims) - _reach(broken.claims),
        changed=diff(broken.source, other.source).changed if broken.source and other.source else 0,
        place=place,
        name=name,
    )


def _place(claims: Claims) -> tuple[str, str | None, str | None]:
    return group(claims), claims.store, claims.survives


def _reach(claims: Claims) -> int:
    return REACHES.index(group(claims))


def _lifetime(claims: Claims) -> int:
    return LIFETIMES.index(claims.survives) if claims.survives in LIFETIMES else 0


def _keeps(workload: Workload, broken: Claims, other: Claims) -> bool:
    """Whether nothing is given up: a fix that does another job, reaches less far or forgets earlier is none; the last
    two unless nobody minds."""
    if broken.part != other.part:
        return False
    if "never-persists" not in workload.shows:
        return True
    return _reach(other) >= _reach(broken) and _lifetime(other) >= _lifetime(broken)


def _promises(workload: Workload, claims: Claims, deployment: Deployment) -> bool:
    """Whether it holds by its own promise with every window, not for want of a switch point in some."""
    predictions = (predict(claims, deployment, window, workload.shows) for window in WINDOW_SWITCHES)
    return all(prediction.guaranteed and not prediction.anomalies for prediction in predictions)


class Fixes:
    """The fixes of one run: what the theory ranks, met with what was measured."""

    def __init__(self, cells: list[Cell], catalogue: Catalogue, deployments: Mapping[str, Deployment]) -> None:
        self._measured = {_address(cell, cell.mechanism): cell for cell in cells}
        self._catalogue = catalogue
        self._deployments = deployments
        self._ranked: dict[tuple[str, str, str], list[str]] = {}

    def of(self, cell: Cell) -> Fix | None:
        """The nearest mechanism seen to hold where this cell is violated, None where the run has none."""
        passed_over: list[str] = []
        for name in self._ranking(cell) if cell.verdict == "violated" else ():
            other = self._measured.get(_address(cell, name))
            if other and other.verdict == "held":
                return _fix(cell, other, passed_over)
            passed_over.append(name)
        return None

    def why_none(self, cell: Cell) -> str:
        """Why a violated cell has no fix, as a sentence without its full stop."""
        ranked = self._ranking(cell)
        if not ranked:
            return (
                "no other mechanism that does the same, reaches as far and outlives as much is predicted to hold here"
            )
        found = self._measured.get(_address(cell, ranked[0]))
        verdict = found.verdict.replace("-", " ") if found else "not measured"
        return f"the nearest by the theory, `{ranked[0]}`, was {verdict} with this window, and no other one held"

    def _ranking(self, cell: Cell) -> list[str]:
        key = cell.workload, cell.mechanism, cell.deployment
        if key not in self._ranked:
            workload = self._catalogue.workloads[cell.workload]
            found = candidates(workload, cell.mechanism, self._deployments[cell.deployment])
            self._ranked[key] = [candidate.name for candidate in found]
        return self._ranked[key]


def _address(cell: Cell, mechanism: str) -> tuple[str, str, str, str]:
    return cell.workload, mechanism, cell.deployment, cell.window


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
    """The cells, each violated one with its fix."""
    return [msgspec.structs.replace(cell, fix=fixes.of(cell)) for cell in cells]


def unfixed(cells: list[Cell], fixes: Fixes) -> Iterator[tuple[str, Cell]]:
    """Each violated cell that has no fix, with the reason."""
    return ((fixes.why_none(cell), cell) for cell in cells if cell.verdict == "violated" and cell.fix is None)
