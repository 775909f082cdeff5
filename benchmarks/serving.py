"""The lab itself: ratios with their goals. Rates are medians of pairs measured in turn, client and server on separate
cores."""

import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from statelab.core.operation import read_recording
from statelab.core.paths import DEPLOYMENTS, LOADTESTS, ROOT
from statelab.deploy.choose import choose
from statelab.deploy.local import LocalEngine
from statelab.deploy.programs import find, unpack_debian
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.record.run_folder import RunFolder

SECONDS = 4.0
STARTING_S = 3.0
PAIRS = 7
USERS = 8
LIMIT_MIB = 1536
SERVER_CORE, CLIENT_CORE = 0, 1
READ = "counter/module-global"


def on_core(core: int, command: list[str], **environment: str) -> str:
    """Runs a command on one core and returns what it printed."""
    available = sorted(os.sched_getaffinity(0))
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {available[core % len(available)]}),
    )
    return done.stdout


def _found(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    assert found, f"no {pattern!r} in:\n{text}"
    return float(found.group(1))


def locust(url: str, record: str = "") -> float:
    """Requests per second of Locust's FastHttpUser, recorded into a folder or not."""
    options = ["--headless", "-u", str(USERS), "-r", str(USERS), "-t", f"{SECONDS:.0f}s", "--loglevel", "ERROR"]
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks/locust_bench.py"), *options]
    path = f"{LOADTESTS}:{ROOT / 'src'}"
    environment = {"BENCH_URL": url, "BENCH_SECONDS": str(SECONDS), "PYTHONPATH": path}
    return _found(
        r"RATE ([\d.]+)", on_core(CLIENT_CORE, command, **environment, **({"BENCH_RECORD": record} if record else {}))
    )


def console(url: str, *options: str) -> float:
    """Acknowledged increments per second of the load with its web UI, recorded. The first seconds, in which the judge
    starts, are not counted; the judge runs on whichever core the system gives it."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
        free.close()
        command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), "--autostart"]
        command += ["--autoquit", "0", "--web-host", "127.0.0.1", "--web-port", port, "--record", folder]
        command += [
            "--run-time",
            f"{STARTING_S + 2 * SECONDS:.0f}s",
            "--deployment",
            "gthread",
            "--window",
            "io",
            *options,
        ]
        environment = {**os.environ, "LAB_TARGETS": json.dumps({"gthread": url})}
        subprocess.run(command, env=environment, capture_output=True, check=True)
        found = [each for path in Path(folder).glob("*.jsonl") for each in read_recording(path)]
    begun = min(each.start for each in found) + int(STARTING_S * 1e9)
    ok = [each for each in found if each.op == "increment" and each.end and each.status == "ok" and each.start > begun]
    return len(ok) / ((max(each.end or 0 for each in ok) - min(each.start for each in ok)) / 1e9)


def wrk(url: str) -> float:
    """Requests per second of wrk with as many connections as there are Locust users."""
    program = find("wrk")
    assert program
    command = [str(program.path), "-t1", f"-c{USERS}", f"-d{SECONDS:.0f}s", f"{url}?key=bench"]
    return _found(r"Requests/sec:\s+([\d.]+)", on_core(CLIENT_CORE, command, **program.environment))


def ratio(one: Callable[[], float], other: Callable[[], float], count: int = PAIRS) -> tuple[float, float, float]:
    """Measures both in turn, `count` times: the median rate of each, and the median of their ratios pair by pair."""
    pairs = [(one(), other()) for _ in range(count)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def served(app: App) -> LocalEngine:
    """The app under gthread, every process of it on the servers' core."""
    os.sched_setaffinity(0, {sorted(ALL_CORES)[SERVER_CORE]})
    engine = LocalEngine(app)
    engine.up([load_all(DEPLOYMENTS)["gthread"]])
    os.sched_setaffinity(0, ALL_CORES)
    return engine


ALL_CORES = os.sched_getaffinity(0)


def rates(table: Table) -> None:
    """The ratios that need servers."""
    lab, bare = served(App()), served(App(name="bare:app", folder=ROOT / "benchmarks"))
    try:
        url, plain = f"{lab.url('gthread')}/{READ}", f"{bare.url('gthread')}/counter"
        with tempfile.TemporaryDirectory() as folder:
            row(
                table,
                "recorded / unrecorded FastHttpUser",
                0.98,
                ratio(lambda: locust(plain, folder), lambda: locust(plain)),
            )
        row(
            table,
            "the tab State live / not judged",
            0.95,
            ratio(lambda: console(lab.url("gthread")), lambda: console(lab.url("gthread"), "--not-live")),
        )
        row(table, "Locust / wrk, same endpoint", 0.85, ratio(lambda: locust(url), lambda: wrk(url)))
        row(
            table,
            "the app / a bare Flask endpoint, by wrk",
            0.95,
            ratio(lambda: wrk(url), lambda: wrk(plain), 3 * PAIRS),
        )
    finally:
        lab.down()
        bare.down()


def row(table: Table, what: str, goal: float, measured: tuple[float, float, float]) -> None:
    one, other, share = measured
    found = (f"{one:,.0f} / {other:,.0f} ops/s", f"{share:.3f}", f">= {goal}", "yes" if share >= goal else "NO")
    table.add_row(what, *found)
    print(f"{what}: {', '.join(found)}", file=sys.stderr, flush=True)  # the others take minutes


def report_overhead(table: Table) -> None:
    """Wall time of a standard report against the sum of its cells' load time."""
    command = [sys.executable, "-c", "from statelab.cli.main import main; main()", "run", "--engine", "local"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
    durations = RunFolder.open(ROOT / "reports/latest").read_manifest().durations_s
    share = durations["total"] / durations["load"]
    measured = f"{durations['total']:.0f} / {durations['load']:.0f} s"
    table.add_row(
        "standard report / load of its cells", measured, f"{share:.3f}", "<= 1.3", "yes" if share <= 1.3 else "NO"
    )


def idle_memory(table: Table) -> None:
    """What the whole lab takes when nobody asks it anything: Docker's figure, or proportional set sizes without it."""
    engine, _ = choose("auto", App())
    try:
        engine.up(list(load_all(DEPLOYMENTS).values()))
        time.sleep(SECONDS)
        used = _containers_mib() if engine.name == "compose" else _children_mib()
    finally:
        engine.down()
    reached = "yes" if used <= LIMIT_MIB else "NO"
    table.add_row(f"lab idle, engine {engine.name}", f"{used:,.0f} MiB", "", f"<= {LIMIT_MIB} MiB", reached)


def _containers_mib() -> float:
    """Sum over the lab's containers, as `docker stats` has it."""
    command = ["docker", "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^statelab-\S+ ([\d.]+)([KMG])iB", printed, re.MULTILINE)
    return sum(float(number) * {"K": 1 / 1024, "M": 1.0, "G": 1024.0}[unit] for number, unit in found)


def _children_mib() -> float:
    """Proportional set size of everything that this process started."""
    children = psutil.Process().children(recursive=True)
    return sum(child.memory_full_info().pss for child in children) / 2**20


def measure() -> None:
    """Prints the table of the lab's ratios."""
    if find("wrk") is None:
        unpack_debian("wrk")
    table = Table("what", "measured", "ratio", "goal", "reached", title="State Lab bench: medians of pairs in one run")
    rates(table)
    idle_memory(table)
    report_overhead(table)
    Console().print(table)
