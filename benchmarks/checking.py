"""How fast the checkers are: file to verdict and witness, in a warm process, from 10^4 to 10^7 operations.

Files are made in one process and judged in another, so that the peak memory is that of reading and judging. Each
figure is the median of three to nine; `valid` is a history that is held, `spoiled` the same with one defect in its
middle, whose witness is found as well.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.plot import Line, plot
from statelab.check.models import MODELS
from statelab.core.operation import Value
from statelab.core.paths import ROOT

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
LINES_SIZE = 1_000_000
VERDICTS = {"valid": "held", "spoiled": "violated"}
FOLDER = ROOT / "reports/bench"

GOALS = {"blind-counter": 2e6, "register": 2e6, "at-most-once": 3e6, "key-value": 0.0}
"""The least operations a second from 10^6 operations on; VECTORISED for all other models. A register with all
operations on one key is to take 0.5 s for 10^6 and 5 s for 10^7. The cost of key-value is that of its text, so it has
no goal; at-most-once has to tell as many texts apart as it has operations."""
VECTORISED = 5e6
LINES_GOALS = {"counter": 1e6, "register": 0.7e6}
"""The goals for JSON Lines, which msgspec decodes a line at a time."""
MOST_MIB = {("register", 10_000_000): 1536}
"""The most memory that reading and judging may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One file judged: `seconds` from opening it to verdict and witness, `peak` of the process's memory in MiB."""

    model: str
    kind: str
    form: str
    operations: int
    seconds: float
    peak: float
    size: float
    verdict: str

    @property
    def rate(self) -> float:
        return self.operations / self.seconds


def generator(model: str) -> Any:
    """The module that makes large histories of a model."""
    return importlib.import_module(f"benchmarks.histories_{model.replace('-', '_')}")


def initial(model: str) -> Value | None:
    """The initial state of those histories: the module's INITIAL, or the model's own."""
    found: Value | None = getattr(generator(model), "INITIAL", MODELS[model].initial)
    return found


def _ask(*arguments: str) -> Any:
    """What a worker process printed as JSON; its errors go to ours."""
    command = [sys.executable, "-m", "benchmarks.judging", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


def _measured(folder: Path, model: str, operations: int, form: str) -> list[Measured]:
    files = _ask("make", model, str(operations), form, str(folder))
    measured = []
    for kind, path in files.items():
        told = _ask("judge", model, path)
        if told["verdict"] != VERDICTS[kind]:
            raise RuntimeError(f"{model}, {operations:,} operations: {kind}, but {told['verdict']}")
        size = Path(path).stat().st_size / 2**20
        measured.append(Measured(model=model, kind=kind, form=form, operations=operations, size=size, **told))
        Path(path).unlink()
    return measured


def _growth(rows: list[Measured]) -> str:
    """How the time grows from 10^6 to 10^7, as factor; n log n would be 11.7."""
    seconds = {row.operations: row.seconds for row in rows}
    if not {1_000_000, 10_000_000} <= seconds.keys():
        return ""
    return f"{seconds[10_000_000] / seconds[1_000_000]:.1f}"


def _goal(row: Measured) -> float:
    return LINES_GOALS[row.model] if row.form == "jsonl" else GOALS.get(row.model, VECTORISED)


def _reached(row: Measured) -> str:
    if row.operations < 1_000_000 or not _goal(row):
        return ""
    small = row.peak <= MOST_MIB.get((row.model, row.operations), float("inf"))
    return "yes" if row.rate >= _goal(row) and small else "NO"


HOW = "Seconds from file to verdict and witness, warm process, median of 3 to 9"

COLUMNS = ("model", "history", "file", "operations", "size, MiB", "s", "10^6 ops/s", "peak, MiB", "goal", "reached")


def cells(row: Measured) -> list[str]:
    most = MOST_MIB.get((row.model, row.operations))
    goal = f">= {_goal(row) / 1e6:g}" + (f", {most:,} MiB" if most else "") if _reached(row) else ""
    return [
        row.model,
        f"{row.kind}: {row.verdict}",
        row.form,
        f"{row.operations:,}",
        f"{row.size:,.1f}",
        _seconds(row),
        f"{row.rate / 1e6:.1f}",
        f"{row.peak:,.0f}",
        goal,
        _reached(row),
    ]


def table_of(lines: Iterable[Iterable[str]]) -> str:
    """A table in Markdown; the lines begin with its head and the rule below it."""
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def markdown(rows: list[Measured]) -> str:
    return table_of([COLUMNS, ["---"] * len(COLUMNS), *map(cells, rows)])


def summary(rows: list[Measured]) -> str:
    """One line for each model and form: the seconds of valid histories by size, and what they come to at 10^6 and
    10^7."""
    head = ["model", *(f"{size:,}" for size in SIZES), "growth", "10^6 ops/s at 10^6", "spoiled", "peak at 10^7, MiB"]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for model, form in dict.fromkeys((row.model, row.form) for row in rows):
        mine = [row for row in rows if (row.model, row.form) == (model, form)]
        valid = {row.operations: row for row in mine if row.kind == "valid"}
        rate = [f"{row.rate / 1e6:.1f}" for row in mine if row.operations == LINES_SIZE]
        lines.append(
            [
                model if form == "parquet" else f"{model}, JSON Lines",
                *(_seconds(valid[size]) if size in valid else "" for size in SIZES),
                f"×{growth}" if (growth := _growth(list(valid.values()))) else "",
                *(rate or ["", ""]),
                f"{valid[SIZES[-1]].peak:,.0f}" if SIZES[-1] in valid else "",
            ]
        )
    return table_of(lines)


def _seconds(row: Measured) -> str:
    return f"{row.seconds:.4f}" if row.seconds < 0.1 else f"{row.seconds:.2f}"


def measure() -> None:
    """Prints the table and writes it, with a summary and the plot, to reports/bench/."""
    console = Console(width=None if sys.stdout.isatty() else 140)  # a file or a pipe has no width to fit into
    jobs = [(model, size, "parquet") for model, size in product(MODELS, SIZES)]
    jobs += [(model, LINES_SIZE, "jsonl") for model in LINES_GOALS]
    with tempfile.TemporaryDirectory() as folder:
        judge = partial(_measured, Path(folder))
        rows = [row for job in track(jobs, "judging files", console=console) for row in judge(*job)]
    table = Table(*COLUMNS, title="file to verdict and witness, warm process, median of 3 to 9")
    for row in rows:
        table.add_row(*cells(row), end_section=row.operations == SIZES[-1] and row.kind == "spoiled")
    console.print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "checking.md").write_text(markdown(rows))
    (FOLDER / "checking-summary.md").write_text(f"{summary(rows)}\n{HOW}; {machine()}.\n")
    (FOLDER / "checking.svg").write_text(_picture(rows))
    console.print(f"also in {FOLDER.relative_to(ROOT)}/checking.md and checking.svg", highlight=False)


def machine() -> str:
    """What it was measured on."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pyarrow"))
    return f"{os.cpu_count()} cores, {versions}"


def _picture(rows: list[Measured]) -> str:
    valid = [row for row in rows if row.form == "parquet" and row.kind == "valid"]
    lines = [
        Line(f"{model}, ×{growth}" if (growth := _growth(mine)) else model, [(r.operations, r.seconds) for r in mine])
        for model in MODELS
        if (mine := [row for row in valid if row.model == model])
    ]
    return plot(lines, across="operations", up="seconds", title="File to verdict; × is the growth from 10⁶ to 10⁷")
