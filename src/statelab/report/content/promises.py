"""All promises on one table: for each workload and deployment, how many of its mechanisms keep its promise."""

from collections.abc import Iterable
from dataclasses import dataclass

from statelab.report.content import figures
from statelab.report.content import states
from statelab.report.content.matrices import Deployment
from statelab.report.content.matrices import Matrix
from statelab.report.content.rows import Row

KEPT = (states.HELD, states.NOT_GUARANTEED)
BROKEN = (states.CONTRADICTION, states.DIFFERENT, states.VIOLATED)


@dataclass(frozen=True, slots=True)
class Share:
    """How many mechanisms kept the promise, broke it, or were not decided, of all that have a cell."""

    kept: int
    broken: int
    of: int

    @property
    def tone(self) -> str:
        """The state whose colour it has: all keep it, none does, or some; none where nothing was measured."""
        if not self.of:
            return "not-run"
        return "held" if self.kept == self.of else "violated" if self.broken == self.of else "some"

    @property
    def text(self) -> str:
        """`3 of 9`, and how many are open where some are: what is not decided is not kept."""
        if not self.of:
            return figures.NONE
        open_ = self.of - self.kept - self.broken
        return f"{self.kept} of {self.of}" + (f" ({open_} open)" if open_ else "")


@dataclass(frozen=True, slots=True)
class Promise:
    """One workload in the widest window that it was measured in."""

    workload: str
    window: str
    anchor: str
    shares: list[Share]


def promises_of(matrices: Iterable[Matrix], deployments: list[Deployment]) -> list[Promise]:
    """One for each workload, in the order of the matrices, which have the widest window first; a share for each of the
    deployments."""
    first: dict[str, Matrix] = {}
    for matrix in matrices:
        first.setdefault(matrix.workload, matrix)
    return [Promise(m.workload, m.window, m.anchor, _shares(m, deployments)) for m in first.values()]


def _shares(matrix: Matrix, deployments: list[Deployment]) -> list[Share]:
    columns = {d.name: [line.rows[place] for line in matrix.lines] for place, d in enumerate(matrix.deployments)}
    return [_share([row for row in columns.get(deployment.name, []) if row.ran]) for deployment in deployments]


def _share(rows: list[Row]) -> Share:
    kept = sum(row.state in KEPT for row in rows)
    return Share(kept, sum(row.state in BROKEN for row in rows), len(rows))
