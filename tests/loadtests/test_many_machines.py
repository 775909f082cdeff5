"""Locust's master and workers on machines whose clocks are hours apart; Linux's time namespaces stand in for them."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec
import psutil
import pytest

from statelab.check.file import check_file
from statelab.core.clocks import Exchange
from statelab.core.operation import read_recording
from statelab.core.paths import DEPLOYMENTS, LOADTESTS
from statelab.deploy.local import LocalEngine
from statelab.plan.deployments import load_all
from statelab.repro.live.clocks import Clock

APART = ["unshare", "--time", "--monotonic"]
HOUR_S = 3600

try:
    POSSIBLE = not subprocess.run([*APART, "1", "true"], capture_output=True, check=False).returncode
except OSError:
    POSSIBLE = False

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(not POSSIBLE, reason="a time namespace cannot be made here (unshare --time, root)"),
]

AS_LOCUST = "runpy.run_module('locust', run_name='__main__')"
OTHER_VERSION = f"import runpy; import statelab.core.version as v; v.version = lambda: '0.1.0-other'; {AS_LOCUST}"
DRIFTS = (
    "import runpy, time; real = time.monotonic_ns; first = real(); "
    f"time.monotonic_ns = lambda: real() + (real() - first) // 2_000; {AS_LOCUST}"
)
"""Its clock gains half a millisecond a second."""
STEPS = (
    "import itertools, runpy, time; real, asked = time.monotonic_ns, itertools.count(); "
    f"time.monotonic_ns = lambda: real() - (next(asked) > 400) * 2_000_000_000; {AS_LOCUST}"
)
"""Its clock is set back by two seconds when it was asked 400 times, in the middle of a run."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    engine = LocalEngine()
    try:
        engine.up([load_all(DEPLOYMENTS)["gthread"]])
        yield engine.url("gthread")
    finally:
        engine.down()


class Run:
    """A master without a web UI, and workers, each of whose clocks shows some hours more."""

    def __init__(self, url: str, folder: Path, started: ExitStack) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self._environment = {**os.environ, "LAB_TARGETS": json.dumps({"gthread": url})}
        self.folder, self._started = folder, started

    def _start(self, before: list[str], python: list[str], name: str, options: list[str]) -> "subprocess.Popen[str]":
        common = ["-f", str(LOADTESTS / "locustfile.py"), "--loglevel", "WARNING", "--only-summary"]
        process = subprocess.Popen(
            [*before, sys.executable, *python, *common, "--record", str(self.folder / name), *options],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.callback(_ended, process)
        return process

    def worker(self, hours: int, python: tuple[str, ...] = ("-m", "locust")) -> "subprocess.Popen[str]":
        before = [*APART, str(hours * HOUR_S), "--fork", "--kill-child"]
        return self._start(before, [*python], f"worker-{hours}", ["--worker", "--master-port", self._port])

    def master(self, mechanism: str, workers: int, seconds: int) -> "subprocess.Popen[str]":
        options = ["--headless", "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", self._port]
        options += ["--expect-workers", str(workers), "-u", "6", "-r", "6", "-t", f"{seconds}s"]
        options += ["--deployment", "gthread", "--mechanism", f"counter / {mechanism}", "--window", "io"]
        return self._start([], ["-m", "locust"], "master", options)

    @property
    def collected(self) -> Path:
        [run] = [path for path in (self.folder / "master").iterdir() if path.is_dir()]
        return run


def _ended(process: "subprocess.Popen[str]") -> None:
    """Ends it with all that it started."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    process.communicate()


@contextmanager
def runs(url: str, folder: Path) -> Iterator[Run]:
    with ExitStack() as started:
        yield Run(url, folder, started)


def test_three_hosts_hours_apart_and_one_of_another_version(url: str, tmp_path: Path) -> None:
    """A counter that loses updates is violated, as on one machine, though one of the clocks drifts. All that the three
    recorded has arrived, on clocks that are known to parts of a millisecond; the fourth is refused, and both versions
    are named."""
    with runs(url, tmp_path) as run:
        other = run.worker(9, python=("-c", OTHER_VERSION))
        master = run.master("module-global", workers=3, seconds=3)
        workers = [run.worker(1), run.worker(2), run.worker(3, python=("-c", DRIFTS))]
        said, _ = master.communicate(timeout=120)
        refused, _ = other.communicate(timeout=60)
        assert [worker.wait(60) for worker in workers] == [0, 0, 0]
        assert other.returncode == 2
    assert "State Lab: counter, module-global, gthread, io: violated: lost-update" in said, said
    assert "this worker has State Lab 0.1.0-other, the master has 0." in refused
    assert re.search(r"the worker \S+ has State Lab 0\.1\.0-other, the master has 0\.", said)
    own = {line for path in tmp_path.glob("worker-*/*.jsonl") for line in path.read_bytes().splitlines()}
    arrived = {line for path in run.collected.glob("*.jsonl") for line in path.read_bytes().splitlines()}
    assert len(own) > 100
    assert own == arrived
    exchanges = msgspec.json.decode((run.collected / "clocks.json").read_bytes(), type=dict[str, list[Exchange]])
    clocks = [Clock(each) for each in exchanges.values()]
    assert sorted(round((each[0].sent - each[0].received) / 1e9 / HOUR_S) for each in exchanges.values()) == [1, 2, 3]
    assert all(clock.bound_ns and clock.bound_ns < 10_000_000 for clock in clocks)
    assert not any(clock.stepped for clock in clocks)
    checked = check_file(str(run.collected / "history.parquet"), "counter", None, None)
    assert (checked.verdict, checked.widened) == ("violated", True)


def test_a_clock_that_steps_and_one_that_drifts_make_no_violation(url: str, tmp_path: Path) -> None:
    """A counter behind a lock. What the stepping clock stamped from then on is evidence of nothing."""
    with runs(url, tmp_path) as run:
        master = run.master("module-global-lock", workers=3, seconds=6)
        for hours, clock in ((1, DRIFTS), (2, STEPS), (3, "import runpy; " + AS_LOCUST)):
            run.worker(hours, python=("-c", clock))
        said, _ = master.communicate(timeout=120)
    assert "State Lab: counter, module-global-lock, gthread, io: " in said, said
    assert "violated" not in said
    assert said.count("stepped during the run") == 1, said


def test_a_worker_that_is_killed_makes_no_violation(url: str, tmp_path: Path) -> None:
    """A counter behind a lock. The run says which worker vanished and what it had asked for, ends with a verdict, and
    does not take the numbers that only the dead worker was told for an error."""
    with runs(url, tmp_path) as run:
        master = run.master("module-global-lock", workers=2, seconds=8)
        workers = {hours: run.worker(hours) for hours in (1, 2)}
        deadline = time.monotonic() + 60
        while len(_recorded(tmp_path / "worker-1")) < 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        while not _recorded(tmp_path / "master") and time.monotonic() < deadline:
            time.sleep(0.1)
        [locust] = psutil.Process(workers[1].pid).children()
        locust.send_signal(signal.SIGKILL)
        said, _ = master.communicate(timeout=120)
    assert "State Lab: counter, module-global-lock, gthread, io: " in said, said
    assert "violated" not in said
    assert re.search(r"the worker \S+ vanished: \d+ operations? that it had asked for had no answer", said), said
    assert re.search(r"what came after the last words of a worker that vanished is not judged: \d", said)


def _recorded(folder: Path) -> list[object]:
    return [one for path in folder.rglob("*.jsonl") for one in read_recording(path)]
