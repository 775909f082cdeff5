"""The headline: mechanisms down, deployments across, one matrix for each workload and window, and no gaps."""

from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from statelab.core.results import Cell
from statelab.report.content.rows import Row

WINDOWS = ("io", "yield", "call", "tight")
"""Widest first: what a narrower window hides is read against it."""


class Mechanism(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    workload: str = ""
    group: str = ""
    summary: str = ""
    store: str | None = None
    medium: str | None = None
    source: str | None = None


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    description: str = ""
    server: str = ""
    worker_class: str = ""
    workers: int | str | None = None
    threads: int | str | None = None
    spread: tuple[str, ...] = ()

    @property
    def between(self) -> str:
        """What may lie between two of its requests."""
        return " and ".join(self.spread) or "nothing (one at a time)"


@dataclass(frozen=True, slots=True)
class Line:
    """One mechanism and its row under each deployment."""

    mechanism: Mechanism
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Group:
    """The mechanisms whose state reaches equally far."""

    name: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Matrix:
    workload: str
    window: str
    deployments: list[Deployment]
    groups: list[Group]

    @property
    def anchor(self) -> str:
        return f"{self.workload}.{self.window}"

    @property
    def lines(self) -> list[Line]:
        return [line for group in self.groups for line in group.lines]

    @property
    def mechanisms(self) -> list[Mechanism]:
        return [line.mechanism for line in self.lines]

    @property
    def coverage(self) -> list[str]:
        """For each deployment, the fewest processes that answered in any of its cells."""
        return [_fewest([line.rows[column] for line in self.lines]) for column in range(len(self.deployments))]


def deployments_of(manifest: Mapping[str, Any], cells: Iterable[Cell]) -> list[Deployment]:
    """Those of the manifest that have a cell, in its order; then those it does not know."""
    known = msgspec.convert(manifest.get("deployments") or [], list[Deployment], strict=False)
    seen = dict.fromkeys(cell.deployment for cell in cells)
    listed = [deployment for deployment in known if deployment.name in seen]
    names = {deployment.name for deployment in listed}
    return listed + [Deployment(name=name) for name in seen if name not in names]


def mechanisms_of(manifest: Mapping[str, Any], cells: Iterable[Cell]) -> list[Mechanism]:
    """Those of the manifest that have a cell, in its order; then those it does not know."""
    known = msgspec.convert(manifest.get("mechanisms") or [], list[Mechanism], strict=False)
    seen = dict.fromkeys((cell.workload, cell.mechanism) for cell in cells)
    listed = [mechanism for mechanism in known if (mechanism.workload, mechanism.name) in seen]
    names = {(mechanism.workload, mechanism.name) for mechanism in listed}
    return listed + [
        Mechanism(workload=workload, name=name) for workload, name in seen if (workload, name) not in names
    ]


def matrices_of(manifest: Mapping[str, Any], rows: list[Row]) -> list[Matrix]:
    """Every (workload, window) that has a cell, under the deployments that the workload was measured under; results of
    different windows are never pooled."""
    cells = [row.cell for row in rows]
    mechanisms = mechanisms_of(manifest, cells)
    asked: dict[str, list[Cell]] = {}
    for cell in cells:
        asked.setdefault(cell.workload, []).append(cell)
    deployments = {workload: deployments_of(manifest, found) for workload, found in asked.items()}
    by_place = {(c.workload, c.window, c.mechanism, c.deployment): row for c, row in zip(cells, rows, strict=True)}
    workloads = list(dict.fromkeys(mechanism.workload for mechanism in mechanisms))
    present = {(cell.workload, cell.window) for cell in cells}
    return [
        Matrix(workload, window, under, _groups(workload, window, mechanisms, under, by_place))
        for workload, window in sorted(present, key=lambda place: (workloads.index(place[0]), window_order(place[1])))
        for under in [deployments[workload]]
    ]


def window_order(window: str) -> tuple[int, str]:
    """The known windows first, widest first."""
    return (WINDOWS.index(window) if window in WINDOWS else len(WINDOWS), window)


def _groups(
    workload: str,
    window: str,
    mechanisms: list[Mechanism],
    deployments: list[Deployment],
    by_place: Mapping[tuple[str, str, str, str], Row],
) -> list[Group]:
    measured = {place[2] for place in by_place if place[:2] == (workload, window)}
    groups: dict[str, Group] = {}
    for mechanism in mechanisms:
        if mechanism.workload == workload and mechanism.name in measured:
            rows = [
                by_place.get((workload, window, mechanism.name, deployment.name))
                or _not_run(workload, window, mechanism.name, deployment.name)
                for deployment in deployments
            ]
            groups.setdefault(mechanism.group, Group(mechanism.group, [])).lines.append(Line(mechanism, rows))
    return list(groups.values())


def _not_run(workload: str, window: str, mechanism: str, deployment: str) -> Row:
    cell = Cell(
        workload=workload,
        mechanism=mechanism,
        deployment=deployment,
        window=window,
        predicted=[],
        guaranteed=False,
        prediction_reason="",
        verdict="unknown",
        reason="not run",
    )
    return Row(cell, ran=False)


def _fewest(column: list[Row]) -> str:
    """The text of the row with the fewest answering processes; a dash where none of the column ran."""
    covered = [row for row in column if row.cell.coverage]
    return min(covered, key=_answered).processes if covered else "–"


def _answered(row: Row) -> float:
    coverage = row.cell.coverage
    if coverage is None:
        return 1.0
    return (
        coverage.processes / coverage.expected_processes if coverage.expected_processes else float(coverage.processes)
    )
