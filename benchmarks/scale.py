"""How a dataset is checked that does not fit into memory: time, memory and disk from 10^6 operations on, and a model.

Registers on 100,000 keys; 10^6 and 10^7 operations, and more with `LARGEST=100000000`. Each size is judged by
`statelab check --workers 2` as a program; the memory is that of all of its processes together, looked at five times a
second. What is measured goes to reports/bench/, and `make scale` puts it into docs/scale.md.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from benchmarks import dataset_of_registers
from benchmarks.checking import FOLDER, machine, table_of
from benchmarks.partition_memory import memory_of_each_model
from statelab.check.dataset import FACTOR, LIBRARIES, MEMORY

SIZES = (1_000_000, 10_000_000, 100_000_000)
LARGEST = int(float(os.environ.get("LARGEST") or 10_000_000))
MOST_BYTES, MOST_GROWTH, LEAST_RATIO = 4 * 2**30, 1.3, 1.7
PLANNED, CORES = 10**10, 8

_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One dataset of `size` bytes, judged by `workers` in `seconds`; `memory` and `shuffle` are the most bytes in
    memory and in the folder of the shuffle."""

    operations: int
    workers: int
    seconds: float
    memory: int
    shuffle: int
    size: int

    @property
    def core_seconds(self) -> float:
        return self.seconds * self.workers


def _checked(folder: Path, operations: int, workers: int, size: int) -> Checked:
    """Judges a dataset, and looks meanwhile at the memory of all processes and at the folder of the shuffle."""
    with tempfile.TemporaryDirectory() as temporary, tempfile.TemporaryFile("w+") as said:
        command = [sys.executable, "-c", "from statelab.cli.main import main; main()", "check", str(folder), "--json"]
        command += ["--model", "register", "--workers", str(workers), "--temporary", temporary]
        start = time.perf_counter()
        checking = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True)
        most = {"memory": 0, "shuffle": 0}

        def look() -> None:
            while checking.poll() is None:
                most["memory"] = max(most["memory"], _memory(checking.pid))
                most["shuffle"] = max(most["shuffle"], _bytes_in(Path(temporary)))
                time.sleep(_EVERY_S)

        looking = Thread(target=look)
        looking.start()
        answer, _ = checking.communicate()
        seconds = time.perf_counter() - start
        looking.join()
        if not answer:
            said.seek(0)
            raise RuntimeError(f"{operations:,} operations, {workers} workers: {said.read()[-2000:]}")
    verdict = json.loads(answer)
    if (verdict["verdict"], verdict["operations"]) != ("held", operations):
        raise RuntimeError(f"{operations:,} valid operations: {verdict}")
    return Checked(operations=operations, workers=workers, seconds=seconds, size=size, **most)


def _memory(pid: int) -> int:
    """What a process and all that it started have in memory; what several of them share counts once."""
    total = 0
    try:
        for process in (started := psutil.Process(pid), *started.children(recursive=True)):
            total += process.memory_full_info().pss
    except psutil.Error:
        pass
    return total


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:
            continue
    return total


def measure() -> None:
    """Prints the table and the goals, and writes them with the model to reports/bench/."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    rows = list[Checked]()
    sizes = [size for size in SIZES if size <= LARGEST]
    for operations in sizes:
        with tempfile.TemporaryDirectory() as place:
            size = dataset_of_registers.write(Path(place), operations)
            for workers in (1, 2) if operations == sizes[-1] or operations == SIZES[1] else (2,):
                rows.append(_checked(Path(place), operations, workers, size))
                console.print(cells(rows[-1]), highlight=False)
    memory = memory_of_each_model()
    table = Table(*COLUMNS, title="datasets of registers on 100,000 keys")
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    most = max(memory.values())
    for line in [*goals(rows), f"memory for each byte: {most:.1f}, {_reached(most <= FACTOR)} (at most {FACTOR})"]:
        console.print(line, highlight=False)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "scale-summary.md").write_text(summary(rows, memory))


COLUMNS = ("operations", "workers", "s", "10^6 ops/s", "core-s for 10^6", "memory in all", "shuffle", "dataset")


def cells(row: Checked) -> list[str]:
    return [
        f"{row.operations:,}",
        str(row.workers),
        f"{row.seconds:.1f}",
        f"{row.operations / row.seconds / 1e6:.2f}",
        f"{row.core_seconds / row.operations * 1e6:.2f}",
        f"{row.memory / 2**30:.2f} GiB",
        f"{row.shuffle / 2**30:.2f} GiB",
        f"{row.size / 2**30:.2f} GiB",
    ]


def goals(rows: list[Checked]) -> list[str]:
    """What is asked for, and whether it is reached."""
    two = {row.operations: row for row in rows if row.workers == 2}
    one = {row.operations: row for row in rows if row.workers == 1}
    largest = max(two)
    most = max(row.memory for row in rows)
    said = [f"memory in all: {most / 2**30:.2f} GiB, {_reached(most <= MOST_BYTES)} (at most 4 GiB)"]
    if SIZES[2] in two:
        growth = two[SIZES[2]].seconds / two[SIZES[1]].seconds / 10
        said.append(
            f"10^8 in {growth:.2f} of ten times 10^7, {_reached(growth <= MOST_GROWTH)} (at most {MOST_GROWTH})"
        )
    if largest in one:
        ratio = one[largest].seconds / two[largest].seconds
        reached = _reached(ratio >= LEAST_RATIO)
        said.append(f"two workers at {largest:,}: {ratio:.2f} times as fast as one, {reached} (at least {LEAST_RATIO})")
    return said


def _reached(reached: bool) -> str:
    return "reached" if reached else "NOT reached"


def fitted(rows: list[Checked]) -> tuple[float, float]:
    """Core-seconds as `fixed + each * operations`, by least squares of the relative errors, both not negative."""
    n, cost = (
        np.array(values, np.float64) for values in zip(*((r.operations, r.core_seconds) for r in rows), strict=True)
    )
    columns = np.stack([np.ones(len(n)), n], axis=1) / cost[:, None]
    (fixed, each), *_ = np.linalg.lstsq(columns, np.ones(len(n)), rcond=None)
    if fixed < 0:
        fixed, each = 0.0, float(np.mean(cost / n))
    return float(fixed), float(each)


def summary(rows: list[Checked], memory: dict[str, float]) -> str:
    """The table, the goals, the model, and what 10^10 operations need by it; for docs/scale.md."""
    table = table_of([COLUMNS, ["---:"] * len(COLUMNS), *map(cells, rows)])
    two = [row for row in rows if row.workers == 2]
    fixed, each = fitted(two)
    largest = two[-1]
    shuffle, size = (getattr(largest, name) / largest.operations for name in ("shuffle", "size"))
    hours = (fixed + each * PLANNED) / 3600
    worst, factor = max(memory.items(), key=lambda item: item[1])
    plan = "".join(
        f"| {machines} of {CORES} cores | {60 * hours / machines / CORES:.0f} min |\n" for machines in (1, 4, 16)
    )
    others = ", ".join(f"{name} {value:.1f}" for name, value in memory.items() if name != worst)
    off = max(abs(fixed + each * row.operations - row.core_seconds) / row.core_seconds for row in two)
    most = (MEMORY - LIBRARIES) // FACTOR // 2**20
    model = f"{fixed:.1f} + {each * 1e6:.2f} for each million operations"
    return f"""{table}
{machine()}. One worker is the process of the command alone, without Dask.

{"".join(f"- {goal}.{chr(10)}" for goal in goals(rows))}
**Memory.** For each byte of a partition, reading and judging took {factor:.1f} bytes at most (`{worst}`; {others}). The
check reckons with {FACTOR}, and with {LIBRARIES // 2**20} MiB for the libraries: so a worker of {MEMORY // 2**20} MiB
has partitions of at most {most} MiB.

**Time.** Core-seconds = {model}, fitted on {two[0].operations:,} to {largest.operations:,} operations, where it is off
by at most {off:.0%}. The dataset has {size:.0f} bytes an operation, and the shuffle {shuffle:.0f}.

**10^10 operations** need {hours:,.0f} core-hours by that, {size * PLANNED / 2**40:.2f} TiB for the dataset, and
{shuffle * PLANNED / 2**40:.2f} TiB for the shuffle while it runs, on a folder that all machines share:

| machines | time |
| --- | ---: |
{plan}"""
