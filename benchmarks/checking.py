"""How fast the checkers are: file to verdict and witness, in a warm process, from 10^4 to 10^7 operations.

Files are made in one process and judged in another, so that the peak memory is that of reading and judging. Each
figure is the median of three; `valid` is a history that is held, `spoiled` the same with one defect in its middle,
whose witness is found as well.
"""

import importlib
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.plot import Line
from benchmarks.plot import plot
from statelab.checkers import MODELS
from statelab.paths import ROOT

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
LINES_SIZE = 1_000_000
FOLDER = ROOT / "reports/bench"

GOALS = {"blind-counter": 2e6, "inventory": 2e6, "key-value": 0.0}
"""Least operations a second from 10^6 operations on; key-value's cost is that of its text, so it has none."""
VECTORISED = 5e6
LINES_GOAL = 1e6


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
    return importlib.import_module(f"benchmarks.histories_{model.replace('-', '_')}")


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
    return LINES_GOAL if row.form == "jsonl" else GOALS.get(row.model, VECTORISED)


def _reached(row: Measured) -> str:
    if row.operations < 1_000_000 or not _goal(row):
        return ""
    return "yes" if row.rate >= _goal(row) else "NO"


COLUMNS = ("model", "history", "file", "operations", "size, MiB", "s", "10^6 ops/s", "peak, MiB", "goal", "reached")


def cells(row: Measured) -> list[str]:
    goal = f">= {_goal(row) / 1e6:g}" if _reached(row) else ""
    return [
        row.model,
        f"{row.kind}: {row.verdict}",
        row.form,
        f"{row.operations:,}",
        f"{row.size:,.1f}",
        f"{row.seconds:.4f}" if row.seconds < 0.1 else f"{row.seconds:.2f}",
        f"{row.rate / 1e6:.1f}",
        f"{row.peak:,.0f}",
        goal,
        _reached(row),
    ]


def markdown(rows: list[Measured]) -> str:
    lines = [COLUMNS, ["---"] * len(COLUMNS), *(cells(row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def measure() -> None:
    """Prints the table and writes it, with the plot, to reports/bench/."""
    console = Console()
    jobs = [(model, size, "parquet") for model, size in product(MODELS, SIZES)]
    jobs += [(model, LINES_SIZE, "jsonl") for model in ("counter", "register")]
    with tempfile.TemporaryDirectory() as folder:
        judge = partial(_measured, Path(folder))
        rows = [row for job in track(jobs, "judging files", console=console) for row in judge(*job)]
    table = Table(*COLUMNS, title="file to verdict and witness, warm process, median of 3")
    for row in rows:
        table.add_row(*cells(row), end_section=row.operations == SIZES[-1] and row.kind == "spoiled")
    console.print(table)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "checking.md").write_text(markdown(rows))
    (FOLDER / "checking.svg").write_text(_picture(rows))
    console.print(f"also in {FOLDER.relative_to(ROOT)}/checking.md and checking.svg", highlight=False)


def _picture(rows: list[Measured]) -> str:
    valid = [row for row in rows if row.form == "parquet" and row.kind == "valid"]
    lines = [
        Line(f"{model}, ×{growth}" if (growth := _growth(mine)) else model, [(r.operations, r.seconds) for r in mine])
        for model in MODELS
        if (mine := [row for row in valid if row.model == model])
    ]
    return plot(lines, across="operations", up="seconds", title="File to verdict; × is the growth from 10⁶ to 10⁷")
