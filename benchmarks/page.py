"""The page of a report in Chromium with its CPU slowed four times: when it can be used, and when a cell is open."""

import statistics
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chromium import PROGRAM, Page, browsing
from report.sample import sample
from statelab.report.content.document import compose
from statelab.report.formats import html

SLOWED = 4
RUNS = 3
GOAL_MS = 1000
PATIENCE_S = 60
READY = "document.readyState === 'complete' && performance.getEntriesByType('navigation')[0].loadEventEnd"
OPEN = "document.getElementById('panel').open && window.opened"
CLICK = """(() => {
  const since = performance.now();
  document.querySelector('td.violated[id]').click();
  const look = () => {
    if (document.getElementById('panel').open) window.opened = performance.now() - since; else setTimeout(look);
  };
  look();
})()"""


def _visits(page: Page, address: str) -> tuple[list[list[float]], list[list[float]]]:
    """Opens the page and a cell of it, RUNS times; returns the ms of both on the clock, and in processor time."""
    clock, processor = [], []
    for _ in range(RUNS):
        page.open("about:blank")
        page.wait("document.readyState === 'complete'", PATIENCE_S)
        began = page.processor_s()
        page.open(address)
        usable = page.wait(READY, PATIENCE_S)
        loaded = page.processor_s()
        page.ask(CLICK)
        clock.append([usable, page.wait(OPEN, PATIENCE_S)])
        processor.append([1000 * (loaded - began), 1000 * (page.processor_s() - loaded)])
    return clock, processor


def measure() -> None:
    """Prints medians. The page is that of a made-up run with every mechanism, deployment and window. It can be used
    once its scripts have run and the browser has drawn it; the ms are counted from the request for it. The processor
    time of the page's main thread is measured without slowing the CPU, and multiplied by four: it means something on a
    busy machine too."""
    if PROGRAM is None:
        sys.exit("no Chromium on this machine: make browser installs it")
    table = Table("what", "ms", "goal", "reached", title=f"A report's page, the CPU slowed {SLOWED} times")
    with tempfile.TemporaryDirectory() as folder, browsing(Path(folder) / "profile") as page:
        file = Path(folder) / "index.html"
        file.write_text(html.render(compose(sample())))
        _, processor = _visits(page, file.as_uri())
        page.slow_down(SLOWED)
        clock, _ = _visits(page, file.as_uri())
    for how, times, found in (("on the clock", 1, clock), (f"processor time x {SLOWED}", SLOWED, processor)):
        for column, what in enumerate(("the page can be used", "from the click to the open cell")):
            took = times * statistics.median(taken[column] for taken in found)
            table.add_row(f"{what}, {how}", f"{took:,.0f}", f"<= {GOAL_MS:,}", "yes" if took <= GOAL_MS else "NO")
    Console().print(table)
