"""Locust's web UI in a browser: its form picks a cell of each workload, its tabs say what came of it."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from chromium import PROGRAM
from chromium import Page
from chromium import browsing
from statelab.core.paths import DEPLOYMENTS
from statelab.core.paths import LOADTESTS
from statelab.deploy.local import LocalEngine
from statelab.plan.deployments import load_all

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
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Locust's web UI on one deployment, as `statelab load` starts it."""
    engine, folder = LocalEngine(), tmp_path_factory.mktemp("recordings")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), "--web-host", "127.0.0.1"]
    try:
        engine.up([load_all(DEPLOYMENTS)[DEPLOYMENT]])
        targets = json.dumps({DEPLOYMENT: engine.url(DEPLOYMENT)})
        locust = subprocess.Popen(
            [*command, "--web-port", str(port), "--record", str(folder), "--request-timeout", "10"],
            env={**os.environ, "LAB_TARGETS": targets},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield _answering(f"http://127.0.0.1:{port}/")
        finally:
            locust.terminate()
            locust.wait(timeout=20)
    finally:
        engine.down()


def _answering(url: str) -> str:
    end = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            assert time.monotonic() < end, "Locust did not start"
            time.sleep(0.1)
        else:
            return url


def _load(page: Page, workload: str, mechanism: str) -> None:
    """Fills the form in and starts; the form of a later run is behind the button New."""
    if page.ask("!!shown('button', 'New')"):
        page.click("button", "New")
    page.wait("!!shown('button', 'Start')")
    cell = {"deployment": DEPLOYMENT, "workload": workload, "mechanism": mechanism, "window": WINDOW}
    for name, text in ({"userCount": "8", "spawnRate": "8", "runTime": SECONDS} | cell).items():
        page.enter(name, text)
    page.click("button", "Start")


def _rows(page: Page, tab: str) -> list[list[str]]:
    page.click("[role=tab]", tab)
    found: list[list[str]] = page.ask(
        "[...document.querySelectorAll('tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return found


def test_the_form_loads_each_workload_and_the_tabs_say_what_came_of_it(address: str, tmp_path: Path) -> None:
    """Deployment, workload, mechanism and window are picked, requests are counted, and the tab State has a row."""
    with browsing(tmp_path / "profile") as page:
        page.open(address)
        for number, (workload, (mechanism, operation, meaning)) in enumerate(CHOSEN.items(), 1):
            _load(page, workload, mechanism)
            page.click("[role=tab]", "State")
            page.wait(f"document.querySelectorAll('tbody tr').length === {number}")
            row = _rows(page, "State")[-1]
            assert row[0] == f"{workload}, {mechanism}, {DEPLOYMENT}, {WINDOW}"
            assert operation in row[1], row
            assert row[3] == "0", row
            assert meaning in row[-1], row
            counted = {name.rpartition("/")[2]: int(count) for _, name, count, *_ in _rows(page, "Statistics")}
            assert counted[operation] > 0
            page.wait("!!shown('button', 'New')")
