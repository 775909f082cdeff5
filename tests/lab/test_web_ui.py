"""Locust's web UI in a browser: its form picks a cell of each workload, its tabs say what came of it."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from chromium import PROGRAM, Page, browsing
from locust_console import MASTER, console
from statelab.check.judges import judge_of
from statelab.check.judges.judgement import Expectation
from statelab.core.operation import read_recording
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.deployments import load_all
from statelab.record.columns import History

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(PROGRAM is None, reason="no Chromium on this machine"),
]

DEPLOYMENT, WINDOW, SECONDS = "gthread", "io", "1s"
CHOSEN = {
    "counter": ("module-global", "increment", "acknowledged increments are missing"),
    "unique-id": ("module-counter", "new-id", "ids had been given before"),
    "request-scope": ("module-global", "echo", "not what the request had sent"),
    "lock": ("threading-lock", "work", "nothing seen"),
    "inventory": ("module-global", "buy", "more were sold than there were"),
    "rate-limit": ("module-dict", "hit", "let through"),
    "cache": ("lru-cache", "write", "older value"),
    "session": ("user-dict", "count", "told a number that their browser had been told before"),
    "once": ("lazy-init", "execute", "effects of work that had taken effect before"),
    "connection": ("sqlite-on-g", "echo", "nothing seen"),
}
"""For each workload a mechanism that needs no store, the operation that clients ask for, and what the tab says then."""


@pytest.fixture(scope="module")
def deployment() -> Iterator[str]:
    engine = LocalEngine()
    try:
        engine.up([load_all(DEPLOYMENTS)[DEPLOYMENT]])
        yield engine.url(DEPLOYMENT)
    finally:
        engine.down()


def _load(page: Page, workload: str, mechanism: str) -> None:
    """Fills the form in and starts; the form of a later run is behind the button New."""
    if page.ask("!!shown('button', 'New')"):
        page.click("button", "New")
    page.wait("!!shown('button', 'Start')")
    cell = {"deployment": DEPLOYMENT, "mechanism": f"{workload} / {mechanism}", "window": WINDOW}
    for name, text in ({"userCount": "8", "spawnRate": "8", "runTime": SECONDS} | cell).items():
        page.enter(name, text)
    page.click("button", "Start")


def _rows(page: Page, tab: str) -> list[list[str]]:
    page.click("[role=tab]", tab)
    found: list[list[str]] = page.ask(
        "[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return found


def test_the_form_loads_each_workload_and_the_tabs_say_what_came_of_it(deployment: str, tmp_path: Path) -> None:
    """Deployment, workload, mechanism and window are picked, requests are counted, and the tab State has a row; above
    it stands the verdict of the lab's own judge. A busy machine can hide a race: then the load runs again."""
    rows = 0
    targets = {DEPLOYMENT: deployment}
    with console("alone", targets, tmp_path / "recordings") as address, browsing(tmp_path / "profile") as page:
        page.open(address)
        for workload, (mechanism, operation, meaning) in CHOSEN.items():
            for _ in range(4):
                _load(page, workload, mechanism)
                page.click("[role=tab]", "State")
                rows += 1
                page.wait(f"document.querySelectorAll('tbody tr').length === {rows}")
                row = _rows(page, "State")[-1]
                if meaning in row[-1]:
                    break
                page.wait("!!shown('button', 'New')")
            assert row[0] == f"{workload}, {mechanism}, {DEPLOYMENT}, {WINDOW}"
            assert operation in row[1], row
            assert row[3] == "0", row
            assert meaning in row[-1], row
            said = page.wait(f"{TILE}('verdict')")
            if meaning != "nothing seen":
                assert said[1] == "violated", said
            counted = {name.rpartition("/")[2]: int(count) for _, name, count, *_ in _rows(page, "Statistics")}
            assert counted[operation] > 0
            page.wait("!!shown('button', 'New')")


TILE = """(title => [...document.querySelectorAll('.statelab .tile')].map(tile => [...tile.children].map(
    each => each.textContent)).find(([first]) => first === title))"""
"""The texts of a tile of the tab State, by its title."""


@pytest.mark.parametrize("how", MASTER)
def test_the_tab_state_is_live_and_says_what_all_workers_recorded(deployment: str, how: str, tmp_path: Path) -> None:
    """The first click on START shows the failure: predicted before, then while the load runs what is acknowledged, what
    the process says, what is lost, the verdict and the proof; after the end, what the recordings say."""
    folder = tmp_path / "recordings"
    with console(how, {DEPLOYMENT: deployment}, folder) as address, browsing(tmp_path / "profile") as page:
        page.open(address)
        page.wait("!!shown('button', 'Start')")
        first = {name: page.ask(f"field('{name}').value") for name in ("userCount", "spawnRate", "mechanism", "window")}
        assert first == {"userCount": "8", "spawnRate": "8", "mechanism": "counter / module-global", "window": "io"}
        assert "lost-update" in page.wait("document.querySelector('form .statelab')?.textContent")
        page.enter("mechanism", "counter / redis-incr")
        page.wait("document.querySelector('form .statelab').textContent.includes('it holds')")
        page.enter("mechanism", "counter / module-global")
        page.enter("runTime", "120s")
        page.wait("!shown('button', 'Start').disabled")
        page.click("button", "Start")
        page.click("[role=tab]", "State")
        page.wait(f"{TILE}('verdict so far')?.[1] === 'violated'", timeout=60)
        page.wait("document.querySelector('.statelab svg.timeline') !== null", timeout=60)
        assert "lost-update" in page.ask(f"{TILE}('verdict so far')[2]")
        assert page.wait(f"{TILE}('lost so far')")
        page.click("button", "Stop")
        page.wait("document.querySelectorAll('tbody tr').length === 1", timeout=60)
        page.wait(f"{TILE}('verdict')", timeout=60)
        acknowledged, lost = page.ask(f"{TILE}('acknowledged')[1]"), page.ask(f"{TILE}('lost')[1]")
        chart = page.ask("document.querySelectorAll('.statelab polyline').length")
    files = [*folder.glob("history-*.jsonl")]
    assert len(files) == (1 if how == "alone" else 3)
    history = History.from_operations([each for path in files for each in read_recording(path)])
    judged = judge_of("counter")(history, Expectation(expected_processes=1, spread=frozenset({"threads"})))
    assert acknowledged.replace(",", "") == str(judged.operations.ok)
    assert judged.lost
    assert lost.replace(",", "").split(" to ")[0] == str(judged.lost.min)
    assert chart == 2


def test_the_load_goes_on_where_the_judge_has_ended(deployment: str, tmp_path: Path) -> None:
    """Whatever ends the judge, the run comes to its end, has its row, and the tab says that nothing is judged."""
    targets = {DEPLOYMENT: deployment}
    with console("alone", targets, tmp_path / "recordings") as address, browsing(tmp_path / "profile") as page:
        page.open(address)
        page.wait("!!shown('button', 'Start')")
        page.wait("document.querySelector('form .statelab')?.textContent")
        for process in psutil.Process().children(recursive=True):
            if "statelab.repro.live.judge" in process.cmdline():
                process.kill()
        _load(page, "counter", "module-global")
        page.click("[role=tab]", "State")
        page.wait("document.querySelectorAll('tbody tr').length === 1")
        page.wait("document.querySelector('.statelab').textContent.includes('the judge has ended')")
