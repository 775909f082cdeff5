"""Every server on one endpoint: throughput and p95 as ratios to gunicorn's `gthread` in the same run, and beside them
what becomes of a counter in a module global there."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from rich.console import Console

from benchmarks.serving import ALL_CORES, CLIENT_CORE, READ, SERVER_CORE, on_core
from statelab.core.errors import Unavailable
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.deploy.programs import find, unpack_debian
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.plan.profiles import SERVERS
from statelab.report.docs.servers_page import PAGE, with_bench
from statelab.report.formats.markdown import table

REFERENCE = "gthread"
BESIDE = ("dev-threaded", "sync", "sync-4", "gthread-2x4", "gevent")
SECONDS = 2
PAIRS = 5
CONNECTIONS = 8

TELL = """
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("FOUND %f %f %d\\n", summary.requests / summary.duration * 1e6, latency:percentile(95) / 1e3,
    e.connect + e.status + e.timeout))
end
"""
"""What wrk prints at its end: requests per second, p95 in ms, requests that failed. Its read errors are not counted as
failures: uWSGI closes each connection after its answer, and does not announce it."""


def asked(url: str) -> tuple[float, float, int]:
    """Requests per second, p95 (ms) and failed answers of one server under wrk."""
    program = find("wrk")
    assert program
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(TELL)
        script.flush()
        command = [str(program.path), "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-s", script.name, f"{url}/{READ}"]
        printed = on_core(CLIENT_CORE, command, **program.environment)
    rate, p95, failed = printed.split("FOUND ", 1)[1].split()[:3]
    return float(rate), float(p95), int(failed)


def counted(names: list[str]) -> dict[str, str]:
    """What the lab finds of a counter in a module global under each deployment, window io."""
    command = [sys.executable, "-c", "from statelab.cli.main import main; main()", "run", "--engine", "local"]
    command += ["--workload", "counter", "--mechanism", "module-global", "--window", "io"]
    with tempfile.TemporaryDirectory() as reports:
        environment = {**os.environ, "STATELAB_REPORTS": reports}
        subprocess.run([*command, "--deployment", ",".join(names)], env=environment, capture_output=True, check=False)
        cells = json.loads((Path(reports) / "latest" / "results.json").read_text())["cells"]
    return {cell["deployment"]: ", ".join(cell["anomalies"]) or cell["verdict"] for cell in cells}


def measure() -> None:
    """Prints the table, and puts it into docs/servers.md. Each server is measured in turn with the reference, all
    servers on one core and wrk on another."""
    if find("wrk") is None:
        unpack_debian("wrk")
    busy = os.getloadavg()[0]
    deployments = load_all(DEPLOYMENTS, SERVERS)
    names = [REFERENCE, *BESIDE, *SERVERS]
    verdicts = counted(names)
    os.sched_setaffinity(0, {sorted(ALL_CORES)[SERVER_CORE]})
    engine, rows = LocalEngine(App(workloads=("counter",), stores=frozenset())), []
    try:
        engine.up([deployments[name] for name in names])
        os.sched_setaffinity(0, ALL_CORES)
        for name in names:
            try:
                taken = [(asked(engine.url(name)), asked(engine.url(REFERENCE))) for _ in range(PAIRS)]
                pairs = [pair for pair in taken if all(rate for rate, _, _ in pair)]
                if not pairs:
                    raise Unavailable("it answered nothing within the time")
            except Unavailable as error:
                rows.append([f"`{name}`", "", "unavailable", "", "", str(error).splitlines()[0]])
                continue
            rate, p95 = (median(one[place] / other[place] for one, other in pairs) for place in (0, 1))
            about = deployments[name]
            rows.append(
                [
                    f"`{name}`",
                    f"{about.workers} × {about.threads}",
                    f"{median(one[0] for one, _ in pairs):,.0f} ({rate:.2f})",
                    f"{median(one[1] for one, _ in pairs):,.1f} ms ({p95:.2f})",
                    f"{sum(one[2] for one, _ in pairs):,}",
                    verdicts.get(name, ""),
                ]
            )
    finally:
        os.sched_setaffinity(0, ALL_CORES)
        engine.down()
    heads = [
        "deployment",
        "processes × threads",
        "requests/s (ratio)",
        "p95 (ratio)",
        "failed",
        "a counter in a global",
    ]
    where = f"{len(ALL_CORES)} cores; before the run {busy:.1f} processes on average wanted one of them"
    text = f"{table(heads, rows)}\n{where}. Median of {PAIRS} pairs of {SECONDS} s.\n"
    Console(soft_wrap=True).print(text, markup=False, highlight=False)
    PAGE.write_text(with_bench(PAGE.read_text(), f"\n{text}\n"))
