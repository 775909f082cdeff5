"""The tables of verdicts: a matrix of mechanism × deployment for each workload and window, a line for each promise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from statelab.core.results import Cell, CellKey
from statelab.report.content import figures, states
from statelab.report.content.rows import Row

WINDOWS = ("io", "yield", "call", "tight")
"""Widest first, because a narrower window may hide what the widest shows."""

KEPT = (states.HELD, states.NOT_GUARANTEED, states.UNCLAIMED_HELD)
BROKEN = (states.CONTRADICTION, states.DIFFERENT, states.VIOLATED, states.UNCLAIMED_VIOLATED)


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
        """The boundaries that can lie between two of its requests."""
        return " and ".join(self.spread) or "nothing (one at a time)"


@dataclass(frozen=True, slots=True)
class Line:
    """One mechanism and its row under each deployment."""

    mechanism: Mechanism
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Group:
    """Mechanisms whose state reaches equally far."""

    name: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Every mechanism of a workload that was measured with one window, under every deployment of that workload."""

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
    def rows(self) -> list[Row]:
        return [row for line in self.lines for row in line.rows]

    @property
    def mechanisms(self) -> list[Mechanism]:
        return [line.mechanism for line in self.lines]

    @property
    def coverage(self) -> list[str]:
        """For each deployment, the fewest processes that answered in any of its cells; a dash if none of them ran."""
        columns = [[line.rows[place] for line in self.lines] for place in range(len(self.deployments))]
        covered = [[row for row in column if row.cell.coverage] for column in columns]
        return [min(rows, key=_answered).processes if rows else figures.NONE for rows in covered]


@dataclass(frozen=True, slots=True)
class Share:
    """How many mechanisms kept a promise and how many broke it, `of` those measured; the others are undecided."""

    kept: int
    broken: int
    of: int

    @property
    def tone(self) -> str:
        """The state that gives it its colour."""
        if not self.of:
            return "not-run"
        return "held" if self.kept == self.of else "violated" if self.broken == self.of else "some"

    @property
    def text(self) -> str:
        """`3 of 9`, and how many are undecided if any are."""
        if not self.of:
            return figures.NONE
        undecided = self.of - self.kept - self.broken
        return f"{self.kept} of {self.of}" + (f" ({undecided} open)" if undecided else "")


@dataclass(frozen=True, slots=True)
class PromiseLine:
    """One workload in the widest window that it was measured with: a share for each deployment."""

    workload: str
    window: str
    anchor: str
    shares: list[Share]


def deployments_of(manifest: Mapping[str, Any], cells: Iterable[Cell]) -> list[Deployment]:
    """Deployments that have a cell: those of the manifest in its order, then those it does not know."""
    known = msgspec.convert(manifest.get("deployments") or [], list[Deployment], strict=False)
    seen = dict.fromkeys(cell.deployment for cell in cells)
    listed = [deployment for deployment in known if deployment.name in seen]
    names = {deployment.name for deployment in listed}
    return listed + [Deployment(name=name) for name in seen if name not in names]


def mechanisms_of(manifest: Mapping[str, Any], cells: Iterable[Cell]) -> list[Mechanism]:
    """Mechanisms that have a cell: those of the manifest in its order, then those it does not know."""
    known = msgspec.convert(manifest.get("mechanisms") or [], list[Mechanism], strict=False)
    seen = dict.fromkeys((cell.workload, cell.mechanism) for cell in cells)
    listed = [mechanism for mechanism in known if (mechanism.workload, mechanism.name) in seen]
    names = {(mechanism.workload, mechanism.name) for mechanism in listed}
    return listed + [
        Mechanism(workload=workload, name=name) for workload, name in seen if (workload, name) not in names
    ]


def matrices_of(manifest: Mapping[str, Any], rows: list[Row]) -> list[Matrix]:
    """A matrix for each workload and window that has a cell, widest window first; windows are never pooled."""
    mechanisms = mechanisms_of(manifest, [row.cell for row in rows])
    by_place = {(r.cell.workload, r.cell.window, r.cell.mechanism, r.cell.deployment): r for r in rows}
    workloads = list(dict.fromkeys(mechanism.workload for mechanism in mechanisms))
    matrices = []
    present = {place[:2] for place in by_place}
    for workload, window in sorted(present, key=lambda found: (workloads.index(found[0]), window_order(found[1]))):
        deployments = deployments_of(manifest, [row.cell for row in rows if row.cell.workload == workload])
        measured = {place[2] for place in by_place if place[:2] == (workload, window)}
        groups: dict[str, Group] = {}
        for mechanism in mechanisms:
            if mechanism.workload == workload and mechanism.name in measured:
                places = [(workload, window, mechanism.name, deployment.name) for deployment in deployments]
                line = Line(mechanism, [by_place.get(place) or _not_run(*place) for place in places])
                groups.setdefault(mechanism.group, Group(mechanism.group, [])).lines.append(line)
        matrices.append(Matrix(workload, window, deployments, list(groups.values())))
    return matrices


def widest_of(matrices: Iterable[Matrix]) -> dict[str, Matrix]:
    """Each workload's matrix of the widest window, by workload; the matrices have the widest window first."""
    widest: dict[str, Matrix] = {}
    for matrix in matrices:
        widest.setdefault(matrix.workload, matrix)
    return widest


def promise_lines(matrices: Iterable[Matrix], deployments: list[Deployment]) -> list[PromiseLine]:
    """One for each workload, in the order of the matrices."""
    lines = []
    for matrix in widest_of(matrices).values():
        columns = {d.name: [line.rows[place] for line in matrix.lines] for place, d in enumerate(matrix.deployments)}
        shares = []
        for deployment in deployments:
            found = [row.state for row in columns.get(deployment.name, []) if row.ran]
            kept, broken = sum(state in KEPT for state in found), sum(state in BROKEN for state in found)
            shares.append(Share(kept, broken, len(found)))
        lines.append(PromiseLine(matrix.workload, matrix.window, matrix.anchor, shares))
    return lines


def promises_so_far(
    planned: Iterable[CellKey], known: Mapping[CellKey, Cell]
) -> tuple[list[PromiseLine], list[Deployment]]:
    """The lines of a run that goes on, and their columns, which are there before anything was measured."""
    rows = [
        Row(known[key]) if key in known else _not_run(key.workload, key.window, key.mechanism, key.deployment)
        for key in planned
    ]
    deployments = deployments_of({}, [row.cell for row in rows])
    return promise_lines(matrices_of({}, rows), deployments), deployments


def window_order(window: str) -> tuple[int, str]:
    """The known windows first, widest first."""
    return (WINDOWS.index(window) if window in WINDOWS else len(WINDOWS), window)


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


def _answered(row: Row) -> float:
    """The share of the expected processes that answered; their number, if none is expected."""
    coverage = row.cell.coverage
    if coverage is None:
        return 1.0
    return coverage.processes / (coverage.expected_processes or 1)
