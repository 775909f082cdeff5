"""Failures that people report, each as three cells: one where it does not show, one where it does, and one with the
fix.

The failures stand in failures.toml. Here the theory says what each of their cells must show; nothing is measured.
"""

from pathlib import Path

import msgspec

from statelab.core.results import CellKey, Prediction
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment
from statelab.theory.rule import predict

TABLE = Path(__file__).with_suffix(".toml")
WINDOW = "io"
RUNS = 3
"""How often a cell is run: a failure may not show every time, and one run that shows it is proof."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of failures. `seen` is the kind of symptom, which the finder asks for first. `threads` are where it was
    reported: issues as `owner/repository#number`, or addresses. `anomaly` does not happen under the deployment
    `hidden`, but does under `shown`. `fix` is the mechanism that holds under `shown`."""

    seen: str
    symptom: str
    cause: str
    threads: list[str]
    workload: str
    mechanism: str
    hidden: str
    shown: str
    anomaly: str
    fix: str
    remark: str = ""

    def _cell(self, mechanism: str, deployment: str) -> CellKey:
        return CellKey(workload=self.workload, mechanism=mechanism, deployment=deployment, window=WINDOW)

    @property
    def hiding(self) -> CellKey:
        return self._cell(self.mechanism, self.hidden)

    @property
    def showing(self) -> CellKey:
        return self._cell(self.mechanism, self.shown)

    @property
    def fixed(self) -> CellKey:
        return self._cell(self.fix, self.shown)

    @property
    def cells(self) -> tuple[CellKey, CellKey, CellKey]:
        return self.hiding, self.showing, self.fixed

    @property
    def command(self) -> str:
        """The command that runs all three cells (and the fix under `hidden`)."""
        selected = f"MECHANISM={self.mechanism},{self.fix} DEPLOYMENT={self.hidden},{self.shown}"
        return f"make report WORKLOAD={self.workload} {selected} WINDOW={WINDOW} RUNS={RUNS}"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    failure: list[Failure]


def load(path: Path = TABLE) -> list[Failure]:
    """Every class of failures, in the order of the page."""
    return msgspec.toml.decode(path.read_bytes(), type=_Table).failure


def prediction(cell: CellKey, catalogue: Catalogue, deployments: dict[str, Deployment]) -> Prediction:
    """What the theory says about one of these cells."""
    workload = catalogue.workloads[cell.workload]
    claims = workload.mechanisms[cell.mechanism].claims
    return predict(claims, deployments[cell.deployment], cell.window, workload.shows)
