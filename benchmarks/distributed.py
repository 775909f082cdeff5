"""Load by two workers: what recording costs, that nothing is lost, how long collecting takes, how close clocks are."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.serving import served
from statelab.core.paths import LOADTESTS, ROOT
from statelab.plan.app import App

PAIRS = 5
SECONDS = 6
RATE = 20_000
"""Requests a second, of both workers together."""
EACH = 500_000
"""Operations that each worker has recorded before it sends the first."""
BACKLOG_S = 40


def load(mode: str, seconds: int, *, recorded: bool, users: str = "2", **more: str) -> dict[str, Any]:
    """One run of two workers: what they and the master said of it, with how many lines were recorded and arrived."""
    with tempfile.TemporaryDirectory() as folder:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = str(free.getsockname()[1])
        locust = [sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks/distributed_locust.py")]
        locust += ["--loglevel", "ERROR", "--only-summary"]
        environment = {
            **os.environ,
            "PYTHONPATH": f"{LOADTESTS}:{ROOT / 'src'}",
            "BENCH_MODE": mode,
            "BENCH_FOLDER": folder,
            "BENCH_RECORDED": "yes" if recorded else "",
            **more,
        }
        workers = [
            subprocess.Popen([*locust, "--worker", "--master-port", port], env=environment, stdout=subprocess.DEVNULL)
            for _ in range(2)
        ]
        master = ["--headless", "--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port]
        master += ["--expect-workers", "2", "-u", users, "-r", users, "-t", f"{seconds}s"]
        try:
            subprocess.run([*locust, *master], env=environment, check=True, capture_output=True)
        finally:
            for worker in workers:
                worker.terminate()
            for worker in workers:
                worker.wait()
        done = [json.loads(path.read_bytes()) for path in Path(folder).glob("worker-*.json")]
        assert len(done) == 2, f"{len(done)} of 2 workers said what they did"
        found = {
            "rate": sum(each["answered"] / each["seconds"] for each in done),
            "cpu_us": 1e6 * sum(each["cpu"] for each in done) / sum(each["answered"] for each in done),
            "own": _lines(Path(folder) / "own"),
            "arrived": _lines(Path(folder) / "master"),
        }
        return found | (json.loads((Path(folder) / "master.json").read_bytes()) if recorded else {})


def _lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.rglob("*.jsonl"))


def _compared(pairs: list[tuple[dict[str, Any], dict[str, Any]]]) -> tuple[float, list[float]]:
    """The median ratio of the rates of each pair, and the two median rates."""
    share = statistics.median(one["rate"] / other["rate"] for one, other in pairs)
    return share, [statistics.median(each[place]["rate"] for each in pairs) for place in (0, 1)]


def _worst(runs: Iterable[dict[str, Any]]) -> float:
    """The bound of the clock that is known least closely, us."""
    return max(float(bound) for one in runs for bound in one["bounds"]) / 1000


def _pairs(mode: str, **more: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Runs with recording and without, each of the two first as often as it comes."""
    made = []
    for number in range(PAIRS):
        first = number % 2 == 0
        one, other = (load(mode, SECONDS, recorded=recorded, **more) for recorded in (first, not first))
        made.append((one, other) if first else (other, one))
    return made


def row(table: Table, what: str, measured: str, goal: str = "no goal", reached: bool | None = None) -> None:
    table.add_row(what, measured, goal, {None: "", True: "yes", False: "NO"}[reached])
    print(f"{what}: {measured} ({goal})", file=sys.stderr, flush=True)


def measure() -> None:
    """Prints the table."""
    table = Table("what", "measured", "goal", "reached", title="Load by two workers and a master on this machine")
    bare = served(App(name="bare:app", folder=ROOT / "benchmarks"))
    try:
        url = f"{bare.url('gthread')}/counter"
        pairs = _pairs("http", users="8", BENCH_URL=url)
    finally:
        bare.down()
    share, rates = _compared(pairs)
    clocks = f"clocks within {_worst(one for one, _ in pairs):.0f} us"
    said = f"{rates[0]:,.0f} / {rates[1]:,.0f} requests/s = {share:.3f}; {clocks}"
    row(table, "recorded and sent / neither, as fast as this machine asks its own server", said)

    pairs = _pairs("canned", BENCH_PACE=str(RATE / 2))
    share, rates = _compared(pairs)
    cpu = statistics.median(one["cpu_us"] for one, _ in pairs)
    said = f"{rates[0]:,.0f} / {rates[1]:,.0f} requests/s = {share:.3f}; {cpu:.0f} us of CPU a request"
    row(table, f"the same at {RATE:,} requests/s, answered at once", said, ">= 0.98", share >= 0.98)
    own, arrived = (sum(one[what] for one, _ in pairs) for what in ("own", "arrived"))
    said = f"{own - arrived:,} of {own:,} operations"
    row(table, "lost on the way to the master", said, "0", own == arrived and all(one["whole"] for one, _ in pairs))

    backlog = load("backlog", BACKLOG_S, recorded=True, BENCH_BACKLOG=str(EACH))
    said = f"{backlog['seconds']:.1f} s for {backlog['arrived']:,} operations"
    whole = backlog["arrived"] == backlog["own"] == 2 * EACH
    row(table, "collecting what two workers had recorded", said, "<= 10 s", whole and backlog["seconds"] <= 10)

    loaded = _worst(one for one, _ in pairs)
    idle = _worst(load("canned", 2, recorded=True, BENCH_PACE="10") for _ in range(PAIRS))
    said = f"{idle:.1f} us; {loaded:.1f} us at {RATE:,} requests/s"
    row(table, f"bound of a clock, loopback, the worst of {2 * PAIRS} workers", said, "< 100 us", idle < 100)
    Console().print(table)
