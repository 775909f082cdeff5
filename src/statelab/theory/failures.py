"""The failures that people report, as cells of the lab: hidden under one deployment, shown under another, and fixed.

They are data, in failures.toml; the theory says what each of their cells must show, and nothing here measures.
"""

from pathlib import Path

import msgspec

from statelab.core.results import CellKey
from statelab.core.results import Prediction
from statelab.plan.catalogue import Catalogue
from statelab.plan.deployments import Deployment
from statelab.theory.rule import predict

TABLE = Path(__file__).with_suffix(".toml")
WINDOW = "io"
RUNS = 3
"""What a failure takes a few chances for; of the runs of a cell, one that shows it is proof."""


class Failure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of failures. `threads` are issues as `owner/repository#number`, or addresses. `anomaly` is what is not
    there under the deployment `hidden` and is there under `shown`, where `fix` holds in the mechanism's place."""

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
        """The run that shows all three cells (and the fix where nothing was wrong)."""
        selected = f"MECHANISM={self.mechanism},{self.fix} DEPLOYMENT={self.hidden},{self.shown}"
        return f"make report WORKLOAD={self.workload} {selected} WINDOW={WINDOW} RUNS={RUNS}"


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    failure: list[Failure]


def load(path: Path = TABLE) -> list[Failure]:
    """Every class of failures, in the order of the page."""
    return msgspec.toml.decode(path.read_bytes(), type=_Table).failure


def prediction(cell: CellKey, catalogue: Catalogue, deployments: dict[str, Deployment]) -> Prediction:
    """What the theory says of one of their cells."""
    workload = catalogue.workloads[cell.workload]
    claims = workload.mechanisms[cell.mechanism].claims
    return predict(claims, deployments[cell.deployment], cell.window, workload.shows)
