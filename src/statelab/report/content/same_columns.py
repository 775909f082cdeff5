"""Which standard column each other deployment is like, promise by promise, and where it differs from that column."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from statelab.report.content import states
from statelab.report.content.rows import Row
from statelab.report.content.summary import Sentence
from statelab.report.content.text import joined

Predicted = Mapping[str, Mapping[str, list[str]]]
"""For each standard deployment, the anomalies that are predicted in each cell (`workload/mechanism/window`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameColumn:
    """A column of the run. `standard` is the standard column that it is most like. `equal` has, for each workload, all
    standard columns that it equals. `differs` has a sentence for each of its cells that is not as in `standard`."""

    deployment: str
    standard: str
    equal: dict[str, list[str]]
    differs: list[Sentence]
    cells: int
    measured: int

    @property
    def text(self) -> str:
        if not self.measured:
            return f"{self.deployment} was not measured; {self.standard} is what it is most like by prediction"
        ran = f"{self.measured} of {self.cells} cells measured"
        if not self.differs:
            return f"{self.deployment} equals {self.standard} in every promise ({ran})"
        number = len(self.differs)
        differing = "1 cell" if number == 1 else f"{number} cells"
        return f"{self.deployment} is like {self.standard} and differs in {differing} ({ran})"


def _place(row: Row) -> str:
    return f"{row.cell.workload}/{row.cell.mechanism}/{row.cell.window}"


def _found(row: Row) -> set[str]:
    """What was predicted and what was seen: a predicted race counts even if this run did not show it."""
    return {*row.cell.predicted, *row.cell.anomalies}


def _named(anomalies: set[str] | list[str]) -> str:
    return joined(sorted(anomalies)) or "held"


def same_columns(manifest: Mapping[str, Any], rows: list[Row]) -> list[SameColumn]:
    """One for each deployment of the run that is no standard column; none if the run was not made to be compared with
    those."""
    standard: Predicted = manifest.get("standard") or {}
    columns: dict[str, list[Row]] = {}
    for row in rows if standard else []:
        columns.setdefault(row.cell.deployment, []).append(row)
    return [_same_column(name, column, standard) for name, column in columns.items() if name not in standard]


def _same_column(name: str, column: list[Row], standard: Predicted) -> SameColumn:
    differing = {
        known: [row for row in column if {*predicted[_place(row)]} != _found(row)]
        for known, predicted in standard.items()
    }
    nearest = min(differing, key=lambda known: len(differing[known]))
    workloads = dict.fromkeys(row.cell.workload for row in column)
    return SameColumn(
        deployment=name,
        standard=nearest,
        equal={
            workload: [known for known, rows in differing.items() if workload not in {r.cell.workload for r in rows}]
            for workload in workloads
        },
        differs=[
            Sentence(
                f"{row.cell.workload}/{row.cell.mechanism}, window {row.cell.window}, under {name}: "
                f"{_named(_found(row))}; under {nearest}: {_named(standard[nearest][_place(row)])}",
                (row,),
            )
            for row in differing[nearest]
        ],
        cells=len(column),
        measured=sum(row.state not in (states.UNAVAILABLE, states.NOT_RUN) for row in column),
    )
