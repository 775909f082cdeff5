"""The results, arranged once for all formats: rows, matrices, sentences and examples."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import msgspec

from statelab.core.results import ANOMALIES, Results
from statelab.report.content import states, summary
from statelab.report.content.columns import COLUMNS, Column
from statelab.report.content.matrices import (
    Deployment,
    Matrix,
    Mechanism,
    PromiseLine,
    deployments_of,
    matrices_of,
    promise_lines,
)
from statelab.report.content.proofs import Example, examples_of
from statelab.report.content.remedies import Broken, broken_of
from statelab.report.content.rows import Row
from statelab.report.content.same_columns import SameColumn, same_columns
from statelab.report.content.states import State
from statelab.report.content.store_comparison import StoreComparison, compare_stores
from statelab.report.content.summary import Absence, Sentence


class GoingOn(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run that still goes on has come: how many of the planned cells are measured, how many seconds are left,
    and in how many seconds its page is written again."""

    measured: int
    planned: int
    left_s: float | None = None
    renew_s: int = 3

    @property
    def text(self) -> str:
        left = "" if self.left_s is None else f", about {self.left_s:.0f} s left"
        return f"{self.measured:,} of {self.planned:,} cells measured{left}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The content of a report. `promised` has each workload's promise in words; `going_on` is None if the run has
    ended."""

    rows: list[Row]
    matrices: list[Matrix]
    deployments: list[Deployment]
    promises: list[PromiseLine]
    comparison: StoreComparison | None
    same_columns: list[SameColumn]
    promised: Mapping[str, str]
    facts: list[tuple[str, str]]
    tally: list[tuple[State, int]]
    contradictions: list[Sentence]
    broken_promises: list[Sentence]
    differences: list[Sentence]
    partly_seen: list[Sentence]
    not_seen: list[Sentence]
    hidden: list[Sentence]
    absences: list[Absence]
    incomplete: list[str]
    missing: list[str]
    notes: list[str]
    examples: list[Example]
    broken: list[Broken]
    breaks: str
    holds: list[tuple[str, list[str]]]
    going_on: GoingOn | None = None

    @property
    def cells(self) -> int:
        return sum(number for _, number in self.tally)

    @property
    def columns(self) -> list[Column]:
        """The columns of tables with one row per cell; those for repeated runs only if there are some."""
        repeated = any(row.cell.runs and row.cell.runs.total > 1 for row in self.rows)
        return [column for column in COLUMNS if column.head and (repeated or not column.repeated)]

    @property
    def mechanisms(self) -> Iterator[tuple[Mechanism, list[Row]]]:
        """Each mechanism with its measured rows of all windows, one row per window and deployment."""
        rows: dict[tuple[str, str], list[Row]] = {}
        for line in (line for matrix in self.matrices for line in matrix.lines):
            rows.setdefault((line.mechanism.workload, line.mechanism.name), []).extend(r for r in line.rows if r.ran)
        mechanisms = {(m.workload, m.name): m for matrix in self.matrices for m in matrix.mechanisms}
        return ((mechanisms[key], rows[key]) for key in mechanisms)

    @property
    def proofs(self) -> Iterator[list[Example]]:
        """The examples by anomaly; those that contradict the theory are separate and come first."""
        return (list(found) for _, found in groupby(self.examples, lambda e: (e.contradicts, e.witness.anomaly)))

    @property
    def stores(self) -> list[str]:
        """The stores that some mechanism needs."""
        return sorted({m.store for matrix in self.matrices for m in matrix.mechanisms if m.store})

    @property
    def links(self) -> list[tuple[str, str]]:
        """Address and title of each part that this report has."""
        parts = [
            ("promises", "All promises", len(self.promises) > 1),
            ("same-columns", "The standard columns", self.same_columns),
            ("disagreements", "What surprised", True),
            ("stores", "Which store for what", self.comparison),
            ("matrices", "Predicted and measured", True),
            ("proofs", "Proofs", self.examples),
            ("fixes", "What holds instead", self.broken),
            ("play", "Play the scheduler", True),
            ("finder", "What is your symptom?", True),
            ("background", "Deployments", True),
        ]
        return [(address, name) for address, name, there in parts if there]

    @property
    def surprises(self) -> list[Sentence]:
        """What was seen although not predicted, contradictions first."""
        return self.contradictions + self.differences

    @property
    def of_own_app(self) -> bool:
        """Whether the report is about the promises of another app, and nothing is claimed of that app."""
        return bool(self.rows) and all(not row.cell.claimed for row in self.rows)

    @property
    def signs(self) -> list[State]:
        """The states for a legend: a sign has one meaning where the lab's own app is measured, another where nothing is
        claimed."""
        unclaimed = any(not row.cell.claimed for row in self.rows)
        left_out = states.CLAIMED if self.of_own_app else () if unclaimed else states.UNCLAIMED
        return [state for state in states.STATES if state not in left_out]

    @property
    def fails(self) -> bool:
        """Whether something is not as it should be: a contradiction, or a promise of another app that is not known to
        hold."""
        unkept = self.of_own_app and any(row.cell.verdict != "held" for row in self.rows)
        return bool(self.contradictions) or unkept

    @property
    def verdict(self) -> str:
        """The report's own verdict, in a sentence."""
        if self.of_own_app:
            broken, held = (sum(r.cell.verdict == name for r in self.rows) for name in ("violated", "held"))
            cells = "1 cell" if len(self.rows) == 1 else f"{len(self.rows)} cells"
            return f"Of {cells} {broken} broke a promise, and in {held} no violation was seen."
        if self.contradictions:
            number = len(self.contradictions)
            cells = "1 cell is" if number == 1 else f"{number} cells are"
            return f"This report fails: {cells} violated where held is predicted."
        so_far = "So far no" if self.going_on else "No"
        return f"{so_far} cell is violated where held is predicted."

    @property
    def anomalies(self) -> list[tuple[str, str, str]]:
        """Code, name and meaning of the anomalies that the report mentions."""
        mentioned = {name for row in self.rows for name in (*row.cell.predicted, *row.cell.anomalies)}
        return [
            (states.code(name), name, ANOMALIES.get(name, ""))
            for name in [*ANOMALIES, *mentioned - {*ANOMALIES}]
            if name in mentioned
        ]


def compose(results: Results) -> Report:
    """Arranges the results; nothing is measured or judged here."""
    rows = [Row(cell) for cell in results.cells]
    matrices = matrices_of(results.manifest, rows)
    used = deployments_of(results.manifest, results.cells)
    stores = {m.name: m.store for matrix in matrices for m in matrix.mechanisms}
    deployments = {deployment.name: deployment for deployment in used}
    broken = broken_of(results.manifest, rows, used)
    going_on = results.manifest.get("going_on")
    return Report(
        rows=rows,
        matrices=matrices,
        deployments=used,
        promises=promise_lines(matrices, used),
        comparison=compare_stores(results.manifest, matrices),
        same_columns=same_columns(results.manifest, rows),
        promised=results.manifest.get("promises") or {},
        facts=summary.facts(results.manifest),
        tally=summary.tally([row for matrix in matrices for row in matrix.rows]),
        contradictions=summary.contradictions(rows),
        differences=summary.differences(rows),
        partly_seen=summary.partly_seen(rows),
        not_seen=summary.not_seen(rows),
        hidden=summary.hidden(rows),
        broken_promises=summary.broken_promises(rows),
        absences=summary.absences(rows, stores),
        incomplete=summary.incomplete(results.manifest),
        missing=summary.missing(results.manifest),
        notes=[str(note) for note in results.manifest.get("notes") or []],
        examples=examples_of(rows, deployments),
        broken=broken,
        going_on=msgspec.convert(going_on, GoingOn) if going_on else None,
        breaks=summary.what_breaks(matrices),
        holds=summary.what_holds(matrices, Counter((c.fix.workload, c.fix.name) for b in broken for c in b.changes)),
    )
