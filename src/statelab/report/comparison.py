"""Compares two runs: the cells whose verdict, anomalies or throughput changed, for example after a library update.

Throughput is compared against the noise of the two runs themselves, from the ratio after/before of every cell that both
runs measured. The median ratio is what all cells have in common (another machine, another load on it). The spread
around the median is the noise: 1.4826 times the median absolute deviation, which is the standard deviation if the
ratios are log-normal. A cell is named if its ratio is more than five times the noise, and at least a quarter, away from
the median. Among 2,000 cells of two equal runs, normal noise would name none.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from statelab.core.results import Cell, CellKey, Results
from statelab.report.content import figures
from statelab.report.content.text import printable

SPREADS = 5
LEAST = math.log(1.25)


CONDITIONS = ("profile", "engine", "runs", "load", "cores", "memory_bytes", "system", "commit")
"""What else of two runs should be alike, besides the versions of Python, libraries and servers."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition under which the two runs were measured, in words; a dash if a run does not say it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One cell in the first run and in the second."""

    key: CellKey
    before: Cell
    after: Cell

    @property
    def predicted(self) -> bool:
        """Whether the anomalies that only one run saw were predicted: then the other run may just have missed them."""
        met = set(self.before.anomalies) ^ set(self.after.anomalies)
        return met <= set(self.after.predicted) & set(self.before.predicted)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """`verdicts`: cells whose verdict changed; `anomalies`: cells with the same verdict but other anomalies;
    `throughput`: cells whose throughput changed beyond the noise, the largest change first. `common` counts the cells
    that both runs have; `only_before` and `only_after` are the cells that only one of them has. `differs` are the
    conditions that differ, versions first. `shift` is the median ratio of all throughputs and `noise` the spread around
    it, as a factor (None: nothing to compare)."""

    common: int
    differs: list[Condition]
    only_before: list[CellKey]
    only_after: list[CellKey]
    verdicts: list[Change]
    anomalies: list[Change]
    throughput: list[Change]
    shift: float | None
    noise: float | None

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        if not self.common:
            return "The runs have no cell in common."
        if self.same:
            return f"All cells of both runs ({self.common:,}) have the same verdict and the same anomalies."
        told = [(len(self.verdicts), "another verdict"), (len(self.anomalies), "the same verdict with other anomalies")]
        counted = " and ".join(
            f"{number:,} {'has' if number == 1 else 'have'} {what}" for number, what in told if number
        )
        return f"Of the cells of both runs ({self.common:,}), {counted}."

    @property
    def same(self) -> bool:
        """Whether every cell of both runs has the same verdict and the same anomalies."""
        return not (self.verdicts or self.anomalies)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Condition]:
    """The versions and conditions that are not the same in the manifests of two runs, versions first."""
    sides = []
    for manifest in (before, after):
        values = {**manifest, **(manifest.get("machine") or {})}
        conditions = {name: values[name] for name in CONDITIONS if values.get(name) is not None}
        sides.append({**(manifest.get("versions") or {}), **conditions})
    names = dict.fromkeys(name for side in reversed(sides) for name in side)
    found = [Condition(name.replace("_", " "), *(figures.plain(side.get(name)) for side in sides)) for name in names]
    return [condition for condition in found if condition.before != condition.after]


def cells_of(results: Results) -> dict[CellKey, Cell]:
    """The cells of a run by their address."""
    return {
        CellKey(workload=c.workload, mechanism=c.mechanism, deployment=c.deployment, window=c.window): c
        for c in results.cells
    }


def compare(before: Results, after: Results) -> RunComparison:
    """Compares the cells that both runs have; the order is that of the second run."""
    first, second = cells_of(before), cells_of(after)
    both = [Change(key, first[key], cell) for key, cell in second.items() if key in first]
    ratios = {
        change.key: math.log(change.after.rate_ops_s / change.before.rate_ops_s)
        for change in both
        if change.before.rate_ops_s and change.after.rate_ops_s
    }
    shift = median(ratios.values()) if ratios else 0.0
    noise = 1.4826 * median(abs(ratio - shift) for ratio in ratios.values()) if ratios else 0.0
    beyond = [change for change in both if abs(ratios.get(change.key, shift) - shift) > max(SPREADS * noise, LEAST)]
    return RunComparison(
        common=len(both),
        differs=differences(before.manifest, after.manifest),
        only_before=[key for key in first if key not in second],
        only_after=[key for key in second if key not in first],
        verdicts=[change for change in both if change.before.verdict != change.after.verdict],
        anomalies=[
            change
            for change in both
            if change.before.verdict == change.after.verdict
            and set(change.before.anomalies) != set(change.after.anomalies)
        ],
        throughput=sorted(beyond, key=lambda change: -abs(ratios[change.key] - shift)),
        shift=math.exp(shift) if ratios else None,
        noise=math.exp(noise) if ratios else None,
    )


def tables(found: RunComparison) -> Iterator[Table | Text]:
    """The comparison for the terminal: one table for each kind of change, or a sentence if there is none."""
    told = "; ".join(f"{condition.name} {condition.before} → {condition.after}" for condition in found.differs)
    yield Text(printable(f"What differs between the runs: {told or 'nothing that they say'}"))
    yield Text(
        f"{found.common:,} cells in both runs, {len(found.only_before):,} only in the first, "
        f"{len(found.only_after):,} only in the second"
    )
    yield from _section("Another verdict", found.verdicts, "predicted", _verdicts)
    yield from _section("Same verdict, other anomalies", found.anomalies, "predicted", _verdicts)
    if found.shift is not None and found.noise is not None:
        yield from _section("Throughput in operations/s, changed beyond the noise", found.throughput, "ratio", _rates)
        yield Text(throughput_in_words(found))
    if found.verdicts or found.anomalies:
        yield Text(
            "predicted: yes = the rule predicts the anomalies that only one run saw; a single run may miss them."
        )


def _section(
    title: str, changes: list[Change], last: str, said: Callable[[Change], tuple[str, str, str]]
) -> Iterator[Table | Text]:
    if not changes:
        yield Text(f"{title}: none")
        return
    table = Table(title=f"{title}: {len(changes):,}", title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for head in ("cell", "deployment", "window", "before", "after", last):
        table.add_column(head)
    for change in changes:
        key = change.key
        table.add_row(*map(printable, (f"{key.workload}/{key.mechanism}", key.deployment, key.window, *said(change))))
    yield table


def throughput_in_words(found: RunComparison) -> str:
    """What all cells have in common, and how large a change must be to be named."""
    if found.shift is None or found.noise is None:
        return "No cell of both runs has a throughput."
    return (
        f"Throughput of all cells together: {figures.ratio(found.shift)}; noise: a factor of {found.noise:.2f} either "
        f"way. Cells are named if they changed by more than {SPREADS} times that and by at least a quarter."
    )


def _verdicts(change: Change) -> tuple[str, str, str]:
    return in_words(change.before), in_words(change.after), "yes" if change.predicted else "no"


def in_words(cell: Cell | None) -> str:
    """The verdict and the anomalies of a cell; a dash where it was not measured."""
    if cell is None:
        return figures.NONE
    return f"{cell.verdict}: {', '.join(cell.anomalies)}" if cell.anomalies else cell.verdict


def _rates(change: Change) -> tuple[str, str, str]:
    before, after = change.before.rate_ops_s or 0, change.after.rate_ops_s or 0
    return figures.rate(before), figures.rate(after), figures.ratio(after / before)
