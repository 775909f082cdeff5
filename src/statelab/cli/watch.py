"""Shows a run while it goes on: a table that fills in the terminal, and a page that reloads itself in the run's folder.

Each cell is judged as soon as it is measured, between two loads, so that judging takes nothing from the servers.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from statelab.check.assess import cell_from, judgement_of, results_of
from statelab.check.judges.judgement import Judgement
from statelab.core.operation import Growing
from statelab.core.results import Cell, CellKey
from statelab.plan.manifest import Manifest
from statelab.record.columns import History
from statelab.record.run_folder import RunFolder, cell_of
from statelab.report.content.document import GoingOn
from statelab.report.content.matrices import promises_so_far
from statelab.report.content.rows import Row
from statelab.report.formats.files import write_page
from statelab.report.formats.terminal import cell_line, page_of, promise_tables

LATEST = 3
"""How many of the cells measured last are shown below the table."""
SHARE = 20
"""After the page is written comes a pause this many times as long, so writing takes at most a twentieth of the time."""
OFTEN_S = 2.0


class Watch:
    """The `track` of a campaign: goes through its cells, judges each, and shows what is known so far.

    Without a terminal it prints lines: one for each tenth of the cells, and one when a promise is first seen broken.
    """

    def __init__(self, console: Console, manifest: Manifest, folder: RunFolder) -> None:
        self.judged: dict[tuple[int, CellKey], tuple[int, Judgement]] = {}
        self._console = console
        self._manifest = manifest
        self._folder = folder
        self._recordings = Growing(folder.recordings)
        self._cells: dict[CellKey, Cell] = {}
        self._last: deque[Row] = deque(maxlen=LATEST)
        self._broken: set[str] = set()
        self._doing = "starting the servers and the stores"
        self._planned, self._started = 0, 0.0
        self._next_page = 0.0
        self._renew_s = 3
        self._tables: list[Table] = []
        self._live = Live(console=console, get_renderable=self._shown, refresh_per_second=4, transient=True)

    def __enter__(self) -> "Watch":
        self._folder.point_latest()
        self._write_page()
        self._console.print(
            Text.assemble("The page, which fills while this runs: ", page_of(self._folder.path)), soft_wrap=True
        )
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def __call__(self, items: Iterable[tuple[int, int, CellKey]], text: str) -> Iterator[Any]:
        listed = list(items)
        self._planned, self._started, self._doing = len(listed), time.monotonic(), text
        self._next_page = 0.0
        for place, (run, index, key) in enumerate(listed, 1):
            yield run, index, key
            if self._manifest.measured and self._manifest.measured[-1] == self._manifest.key(run, index):
                self._judge(run, index, key)
            if not self._console.is_terminal and place % max(1, len(listed) // 10) == 0:
                self._console.print(self._going_on(place).text, highlight=False)
            if time.monotonic() >= self._next_page:
                self._write_page()
        self._doing = "ending"

    def _judge(self, run: int, index: int, key: CellKey) -> None:
        """Judges a measured cell. A cell that was violated in an earlier run stays violated."""
        name = self._manifest.key(run, index)
        operations = [operation for operation in self._recordings.new() if cell_of(operation.key) == name]
        if not operations:
            return
        judgement = judgement_of(key, self._manifest, History.from_operations(operations))
        self.judged[run, key] = len(operations), judgement
        cell = cell_from(key, self._manifest, [judgement])
        if key not in self._cells or self._cells[key].verdict != "violated":
            self._cells[key] = cell
        self._last.append(Row(cell))
        self._tables = []  # drawn again when next shown
        if cell.verdict == "violated" and key.workload not in self._broken:
            self._broken.add(key.workload)
            self._next_page = min(self._next_page, time.monotonic())
            if not self._console.is_terminal:
                self._console.print(cell_line(Row(cell)), soft_wrap=True)

    def _going_on(self, measured: int) -> GoingOn:
        left = (time.monotonic() - self._started) / measured * (self._planned - measured) if measured else None
        return GoingOn(measured=measured, planned=self._planned or len(self._manifest.cells), left_s=left)

    def _write_page(self) -> None:
        """The page of what is known so far; it says when to look again."""
        began = time.monotonic()
        results = results_of(self._manifest, [self._cells[key] for key in self._manifest.cells if key in self._cells])
        going_on = msgspec.structs.replace(self._going_on(len(self.judged)), renew_s=self._renew_s)
        results.manifest["going_on"] = msgspec.to_builtins(going_on)
        write_page(results, self._folder.path)
        self._renew_s = max(3, round(SHARE * (time.monotonic() - began)))
        self._next_page = time.monotonic() + max(OFTEN_S, SHARE * (time.monotonic() - began))

    def _shown(self) -> RenderableType:
        if not self._tables:
            promises, deployments = promises_so_far(self._manifest.cells, self._cells)
            self._tables = list(promise_tables(promises, deployments, self._console.width))
        measured = len(self.judged)
        line = Table.grid(padding=(0, 1))
        left = self._going_on(measured)
        line.add_row(ProgressBar(total=left.planned, completed=measured, width=30), f"{self._doing}: {left.text}")
        return Group(*self._tables, *(cell_line(row, self._console.width) for row in self._last), line)
