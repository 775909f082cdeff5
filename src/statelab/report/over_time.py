"""Many runs side by side: which cells changed and between which runs, which versions changed there, and how often each
cell was violated in all.

Each run is compared with what was known before it: for each cell, the result of the last earlier run that measured it.
So a cell that some runs left out is still followed. The comparison is made as for two runs (`comparison.py`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from statelab.core.errors import counted
from statelab.core.results import Cell, CellKey, Interval, Results
from statelab.report.archive import SavedRun
from statelab.report.comparison import Condition, RunComparison, cells_of, compare, differences, in_words
from statelab.report.content import figures
from statelab.report.content.text import printable

Intervals = Callable[[int, int], Interval]
"""Takes how many of how many independent trials were violated, and returns the interval of that share."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One cell that changed between the runs at the places `before` and `after`, and what else differs there."""

    before: int
    after: int
    differs: list[Condition]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellOverTime:
    """One cell in each run (None: not measured there). It was violated in `violated` of its `total` measurements, with
    the `interval` of that share (None: no run decided anything). A run that decided nothing is not counted."""

    key: CellKey
    cells: tuple[Cell | None, ...]
    turns: tuple[Turn, ...]
    violated: int
    total: int
    interval: Interval | None

    @property
    def name(self) -> str:
        return f"{self.key.workload}/{self.key.mechanism}"

    @property
    def share(self) -> str:
        """`3 of 5 (60 %, [15 %, 95 %])`."""
        if self.interval is None:
            return figures.NONE
        share = figures.share(self.violated / self.total)
        return f"{self.violated} of {self.total} ({share}, {figures.interval(self.interval)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class OverTime:
    """`steps` compares each run but the first with what was known before it; `cells` begins with those that changed,
    most recently changed first."""

    runs: tuple[SavedRun, ...]
    steps: tuple[RunComparison, ...]
    cells: tuple[CellOverTime, ...]

    @property
    def changed(self) -> list[CellOverTime]:
        return [cell for cell in self.cells if cell.turns]

    @property
    def same(self) -> bool:
        """Whether the last run has the verdicts and anomalies that were known before it."""
        return not self.steps or self.steps[-1].same

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        if len(self.runs) == 1:
            return "There is one run; a second one shows what changes."
        last = "nothing"
        if not self.same:
            last = counted(len(self.steps[-1].verdicts) + len(self.steps[-1].anomalies), "cell")
        changed = f"{len(self.changed):,} of {len(self.cells):,} cells changed their verdict or anomalies"
        return f"In {len(self.runs):,} runs {changed}; the last run changed {last}."


def over_time(runs: Sequence[SavedRun], interval: Intervals) -> OverTime:
    """Puts the runs, at least one, side by side; the oldest is first."""
    last: dict[CellKey, tuple[int, Cell]] = {}
    turns: dict[CellKey, list[Turn]] = {}
    steps = list[RunComparison]()
    for place, run in enumerate(runs):
        if place:
            known = Results(manifest=runs[place - 1].results.manifest, cells=[cell for _, cell in last.values()])
            steps.append(compare(known, run.results))
            for change in (*steps[-1].verdicts, *steps[-1].anomalies):
                before = last[change.key][0]
                differs = differences(runs[before].results.manifest, run.results.manifest)
                turns.setdefault(change.key, []).append(Turn(before, place, differs))
        last |= {key: (place, cell) for key, cell in cells_of(run.results).items()}
    measured = [cells_of(run.results) for run in runs]
    followed = []
    for key in last:
        cells = tuple(each.get(key) for each in measured)
        counts = [trials(cell) for cell in cells if cell is not None]
        violated, total = sum(hits for hits, _ in counts), sum(count for _, count in counts)
        followed.append(
            CellOverTime(
                key=key,
                cells=cells,
                turns=tuple(turns.get(key, ())),
                violated=violated,
                total=total,
                interval=interval(violated, total) if total else None,
            )
        )
    followed.sort(key=lambda cell: -cell.turns[-1].after if cell.turns else 0)
    return OverTime(runs=tuple(runs), steps=tuple(steps), cells=tuple(followed))


def trials(cell: Cell) -> tuple[int, int]:
    """How often a cell of one run was violated, and of how many; 0 of 0 where it was not decided."""
    if cell.runs is not None and cell.verdict in ("held", "violated"):
        return cell.runs.violated, cell.runs.total
    return {"held": (0, 1), "violated": (1, 1)}.get(cell.verdict, (0, 0))


SHOWN = 15
"""How many runs, and how many changed cells, the terminal shows."""


def tables(found: OverTime) -> Iterator[Table | Text]:
    """The runs and the cells that changed, for one screen of a terminal."""
    yield Text(printable(found.verdict))
    runs = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("run", "cells", "another verdict", "other anomalies", "what else changed"):
        runs.add_column(head, justify="left" if head in ("run", "what else changed") else "right")
    steps = [None, *found.steps]
    for run, step in list(zip(found.runs, steps, strict=True))[-SHOWN:]:
        counts = (figures.NONE, figures.NONE) if step is None else (str(len(step.verdicts)), str(len(step.anomalies)))
        runs.add_row(
            printable(run.name),
            f"{len(run.results.cells):,}",
            *counts,
            printable(conditions(step.differs if step else [])),
        )
    yield runs
    if len(found.runs) > SHOWN:
        yield Text(f"and {len(found.runs) - SHOWN:,} runs before them")
    if not found.changed:
        return
    cells = Table(box=SIMPLE_HEAD, pad_edge=False)
    for head in ("cell", "deployment", "window", "before", "after", "changed in", "violated"):
        cells.add_column(head, overflow="fold", no_wrap=head in ("deployment", "window"))
    for cell in found.changed[:SHOWN]:
        turn = cell.turns[-1]
        before, after = (in_words(found_cell) for found_cell in (cell.cells[turn.before], cell.cells[turn.after]))
        place = cell.key.deployment, cell.key.window
        cells.add_row(*map(printable, (cell.name, *place, before, after, found.runs[turn.after].name, cell.share)))
    yield cells
    if len(found.changed) > SHOWN:
        yield Text(f"and {len(found.changed) - SHOWN:,} cells more, on the page")


MOST_CONDITIONS, LONG = 3, 40


def conditions(differs: Sequence[Condition]) -> str:
    """`flask 3.0.3 → 3.1.3; and 2 more`, or a dash. A condition with long values is only named."""
    sides = [(each.name, f" {each.before} → {each.after}") for each in differs[:MOST_CONDITIONS]]
    told = [name + (said if len(said) <= LONG else "") for name, said in sides]
    if len(differs) > MOST_CONDITIONS:
        told.append(f"and {len(differs) - MOST_CONDITIONS} more")
    return "; ".join(told) or figures.NONE
