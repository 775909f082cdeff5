"""The best witness of each kind of violation; a kind is an anomaly and what may lie between two requests."""

from collections.abc import Mapping
from dataclasses import dataclass

from statelab.core.results import ANOMALIES, Witness
from statelab.report.content import states
from statelab.report.content.matrices import Deployment, window_order
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
        witness = row.cell.witness
        if row.cell.verdict == "violated" and witness:
            deployment = deployments.get(row.cell.deployment)
            kind = row.state is states.CONTRADICTION, witness.anomaly, deployment.spread if deployment else ()
            kinds.setdefault(kind, []).append((row, witness))
    workloads = list(dict.fromkeys(row.cell.workload for row in rows))
    found = {}
    for kind, cases in kinds.items():
        # The clearest one of the workload that comes first in the tables: readers already know its operations.
        row, witness = min(cases, key=lambda case: (workloads.index(case[0].cell.workload), *_clearness(*case)))
        deployment = deployments.get(row.cell.deployment)
        found[kind] = Example(row, witness, deployment.between if deployment else "", len(cases))
    return [found[kind] for kind in sorted(found, key=lambda kind: _order(kind, found[kind], workloads))]


def _order(kind: Kind, example: Example, workloads: list[str]) -> tuple[bool, int, int, int, tuple[str, ...]]:
    contradicts, anomaly, spread = kind
    names = list(ANOMALIES)
    place = names.index(anomaly) if anomaly in names else len(names)
    return not contradicts, place, workloads.index(example.row.cell.workload), len(spread), spread


def _clearness(row: Row, witness: Witness) -> tuple[int, float, float, tuple[int, str]]:
    """Smallest first: fewest operations, least need of clocks, largest slack, shortest time, widest window."""
    slack = float("-inf") if witness.slack_ns is None else -witness.slack_ns
    ends = [operation.end for operation in witness.operations if operation.end is not None]
    starts = [operation.start for operation in witness.operations]
    span = (max(ends) if ends else float("inf")) - min(starts, default=0)
    return len(witness.operations), slack, span, window_order(row.cell.window)
