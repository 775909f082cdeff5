"""The best witness of each kind of violation; a kind is an anomaly and what may lie between two requests."""

from collections.abc import Mapping
from dataclasses import dataclass

from statelab.core.results import ANOMALIES
from statelab.core.results import Witness
from statelab.report.content import states
from statelab.report.content.matrices import Deployment
from statelab.report.content.matrices import window_order
from statelab.report.content.rows import Row

Kind = tuple[bool, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Example:
    """The clearest proof of a kind; `count` cells have a proof of this kind."""

    row: Row
    witness: Witness
    between: str
    count: int

    @property
    def contradicts(self) -> bool:
        return self.row.state is states.CONTRADICTION


def examples_of(rows: list[Row], deployments: Mapping[str, Deployment]) -> list[Example]:
    """One example for each kind: first those that contradict the theory, then in the order of the legend's anomalies
    and of the tables' workloads."""
    kinds: dict[Kind, list[tuple[Row, Witness]]] = {}
    for row in rows:
        if row.cell.verdict == "violated" and row.cell.witness:
            kinds.setdefault(_kind(row, row.cell.witness, deployments), []).append((row, row.cell.witness))
    workloads = list(dict.fromkeys(row.cell.workload for row in rows))
    found = {kind: _best(cases, workloads, deployments) for kind, cases in kinds.items()}
    return [found[kind] for kind in sorted(found, key=lambda kind: _order(kind, found[kind], workloads))]


def _kind(row: Row, witness: Witness, deployments: Mapping[str, Deployment]) -> Kind:
    deployment = deployments.get(row.cell.deployment)
    return row.state is states.CONTRADICTION, witness.anomaly, deployment.spread if deployment else ()


def _order(kind: Kind, example: Example, workloads: list[str]) -> tuple[bool, int, int, int, tuple[str, ...]]:
    contradicts, anomaly, spread = kind
    names = list(ANOMALIES)
    place = names.index(anomaly) if anomaly in names else len(names)
    return not contradicts, place, workloads.index(example.row.cell.workload), len(spread), spread


def _best(found: list[tuple[Row, Witness]], workloads: list[str], deployments: Mapping[str, Deployment]) -> Example:
    """The clearest one of the workload that comes first in the tables, because readers already know its operations."""
    row, witness = min(found, key=lambda pair: (workloads.index(pair[0].cell.workload), *_clearness(*pair)))
    deployment = deployments.get(row.cell.deployment)
    return Example(row, witness, deployment.between if deployment else "", len(found))


def _clearness(row: Row, witness: Witness) -> tuple[int, float, float, tuple[int, str]]:
    """Smallest first: fewest operations, least need of clocks, largest slack, shortest time, widest window."""
    slack = float("-inf") if witness.slack_ns is None else -witness.slack_ns
    ends = [operation.end for operation in witness.operations if operation.end is not None]
    starts = [operation.start for operation in witness.operations]
    span = (max(ends) if ends else float("inf")) - min(starts, default=0)
    return len(witness.operations), slack, span, window_order(row.cell.window)
