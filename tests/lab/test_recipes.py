"""The recipes of CONTRIBUTING.md, tried as they stand there by somebody who edits nothing else."""

import base64
import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import msgspec
import pytest

from program import COMMAND, REPORTS, Statelab, measured
from statelab.core.operation import Operation, encode_line
from statelab.core.paths import ROOT, SERVICES
from statelab.core.results import Cell, Latency
from statelab.deploy.local import LocalEngine

GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def block(language: str, heading: str, number: int = 1) -> str:
    """The code block of a language, of that number, under a heading, without its indentation."""
    section = GUIDE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(rf"^   ```{language}\n(.*?)^   ```$", section, re.DOTALL | re.MULTILINE)
    return "\n".join(line.removeprefix("   ") for line in found[number - 1].splitlines()) + "\n"


def inside(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in a copy of the repository, with the program and the reports of that copy."""
    paths = [str(folder / part) for part in ("src", "tests", ".")]
    environment = {**os.environ, REPORTS: str(folder / "reports"), "PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def timed_cell(p50: float, p99: float) -> Cell:
    """A cell that held, with these latencies."""
    return Cell(
        workload="counter",
        mechanism="redis-incr",
        deployment="sync-4",
        window="io",
        predicted=[],
        guaranteed=True,
        prediction_reason="",
        verdict="held",
        reason="",
        latency_ms=Latency(p50=p50, p95=p99, p99=p99),
    )


@pytest.mark.process
def test_a_mechanism_is_one_file_and_one_line(statelab: Statelab, tmp_path: Path) -> None:
    """It is offered, predicted, loaded, checked and on the page, by the file and the line of the recipe alone, and by
    the file alone where it stands outside of the lab and is named by its path."""
    services = tmp_path / "services"
    shutil.copytree(SERVICES, services)
    (services / "webapp/counter/my_counter.py").write_text(block("python", "To add a mechanism"))
    table = services / "webapp/counter/__init__.py"
    line = re.search(r'Add `("my-counter": "my_counter",)`', GUIDE)
    assert line
    table.write_text(table.read_text().replace("table={", "table={\n        " + line.group(1)))

    outside = tmp_path / "my_store.py"
    outside.write_text(block("python", "To add a mechanism"))

    shown = {"sync-4": ["divergent"], "gthread": ["lost-update"], "gevent": ["lost-update"]}
    names = ("my-counter", "my-store")
    told: list[str] = []

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = statelab(*arguments)
        told.extend([done.stdout, (tmp_path / "latest" / "index.html").read_text()])
        return done

    cells = measured(
        run,
        tmp_path,
        *("--app-dir", str(services), "--workload", "counter", "--mechanism", f"my-counter,{outside}"),
        *("--deployment", ",".join(shown), "--window", "io"),
        shows={(name, deployment): anomalies for name in names for deployment, anomalies in shown.items()},
        files={"my-store": str(outside)},
    )

    assert {place: cell["anomalies"] for place, cell in cells.items()} == {
        (name, deployment): anomalies for name in names for deployment, anomalies in shown.items()
    }
    assert all(cell["predicted"] == cell["anomalies"] for cell in cells.values())
    assert all(name in text for name in names for text in told[:2])


@pytest.mark.process
def test_a_workload_is_one_folder_and_one_file_on_each_side(tmp_path: Path) -> None:
    """The files and the table line of the recipe give a workload that is served, loaded, judged, reported and shown on
    demand; as long as one part is missing, a sentence names it."""
    for folder in ("services", "loadtests", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    run = [*COMMAND, "run", "--engine", "local", "--workload", "tickets", "--deployment", "sync-4,gthread"]
    show = [*COMMAND, "repro", "tickets/my-counter", "--engine", "local", "--deployment", "gthread"]

    def refused(command: list[str]) -> str:
        done = inside(tmp_path, *command)
        assert done.returncode == 2, done.stdout + done.stderr
        return done.stderr

    assert "services/webapp/tickets/" in refused(run)
    tickets = tmp_path / "services/webapp/tickets"
    tickets.mkdir()
    (tickets / "__init__.py").write_text(block("python", "To add a workload"))
    (tickets / "my_counter.py").write_text(block("python", "To add a mechanism"))
    assert "services/webapp/catalogue.py" in refused(run)
    table = tmp_path / "services/webapp/catalogue.py"
    text = table.read_text()
    assert "        COUNTER,\n" in text
    text = text.replace("        COUNTER,\n", "        COUNTER,\n        TICKETS,\n")
    table.write_text(text.replace("\nfrom ", "\nfrom webapp.tickets import TICKETS\nfrom ", 1))
    for number, (path, command) in enumerate(
        {"loadtests": run, "src/statelab/check/judges": run, "src/statelab/repro": show}.items(), 2
    ):
        assert f"{path}/tickets.py" in refused(command)
        (tmp_path / path / "tickets.py").write_text(block("python", "To add a workload", number))

    shown = {("my-counter", "sync-4"): ["divergent"], ("my-counter", "gthread"): ["lost-update"]}
    options = ["--workload", "tickets", "--deployment", "sync-4,gthread", "--window", "io"]
    cells = measured(partial(inside, tmp_path, *COMMAND), tmp_path / "reports", *options, shows=shown)
    assert {place: cell["anomalies"] for place, cell in cells.items()} == shown
    done = inside(tmp_path, *show)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduced: lost-update" in done.stdout


def test_a_checker_is_four_files_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files and the table line of the recipe give a model that accepts and rejects, for which the tests of all
    models are collected and pass, and whose speed the bench can measure."""
    for folder in ("src", "tests", "benchmarks"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    models = tmp_path / "src/statelab/check/models"
    table, first = (models / "__init__.py").read_text(), '    "counter": "counter.model",\n'
    assert first in table
    (models / "__init__.py").write_text(table.replace(first, first + '    "tickets": "tickets",\n'))
    files = ("src/statelab/check/models/tickets.py", "tests/models/tickets.py", "benchmarks/histories_tickets.py")
    for number, path in enumerate(files, 1):
        (tmp_path / path).write_text(block("python", "To add a checker", number))

    for told, verdict, code in ((100, "held", 0), (99, "violated", 1)):
        history = tmp_path / "history.jsonl"
        operation = Operation(process=1, op="increment", start=1, end=2, status="ok", result=told)
        history.write_bytes(encode_line(operation))
        done = inside(tmp_path, *COMMAND, "check", str(history), "--model", "tickets")
        assert (done.returncode, verdict in done.stdout) == (code, True), done.stdout + done.stderr

    every = inside(tmp_path, sys.executable, "-m", "pytest", "-q", "--collect-only", "tests/check/models")
    assert every.returncode == 0, every.stdout + every.stderr
    tests = tmp_path / "tests/check/models/test_models.py"
    monkeypatch.setenv("HISTORIES", "1000")  # that they run is to be shown
    done = inside(tmp_path, sys.executable, "-m", "pytest", "-q", str(tests), "-k", "tickets")
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.rpartition(" passed")[0].rpartition("\n")[2].split()[-1]) >= 10

    worker = [sys.executable, "-m", "benchmarks.judging"]
    made = inside(tmp_path, *worker, "make", "tickets", "1000", "parquet", str(tmp_path))
    assert made.returncode == 0, made.stderr
    for kind, verdict in (("valid", "held"), ("spoiled", "violated")):
        judged = inside(tmp_path, *worker, "judge", "tickets", json.loads(made.stdout)[kind])
        assert judged.returncode == 0, judged.stderr
        assert json.loads(judged.stdout)["verdict"] == verdict


def test_a_format_of_histories_is_one_file_and_one_line(tmp_path: Path) -> None:
    """The file and the line of the recipe are enough for `check` to read it, and to refuse it with its line."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    foreign = tmp_path / "src/statelab/foreign"
    table, last = (foreign / "formats.py").read_text(), '    "jepsen_log",\n'
    assert last in table
    (foreign / "formats.py").write_text(table.replace(last, last + '    "asks_log",\n'))
    (foreign / "asks_log.py").write_text(block("python", "To add a format of histories"))
    history = tmp_path / "history"
    history.write_text("3 asks write 1\n3 gets write 1\n4 asks read\n4 gets read 2\n")
    done = inside(tmp_path, *COMMAND, "check", str(history))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "[register, read as log of asks and gets, 4 events, 2 operations, in the order of the file]" in done.stdout
    history.write_text("3 asks write 1\n3 forgets\n")
    done = inside(tmp_path, *COMMAND, "check", str(history))
    assert done.returncode == 2
    assert f"{history}, line 2: a line says who asks" in done.stderr


def test_a_column_of_the_report_is_one_entry(tmp_path: Path) -> None:
    """With the entry of the recipe alone the column is on the page, in report.md and in results.csv."""
    for folder in ("src", "services"):  # the page says of the lab's deployments what they are
        shutil.copytree(ROOT / folder, tmp_path / folder)
    columns = tmp_path / "src/statelab/report/content/columns.py"
    next_one = '    Column(csv={"repro": lambda row: row.repro}),\n'
    assert next_one in columns.read_text()
    entry = block("python", "To add a column of the report").rstrip() + ",\n"
    columns.write_text(columns.read_text().replace(next_one, entry + next_one))
    results = {"manifest": {}, "cells": [msgspec.to_builtins(timed_cell(p50=2.0, p99=9.0))]}
    (tmp_path / "results.json").write_text(json.dumps(results))
    script = (
        "import sys; from pathlib import Path; from statelab.report.formats.files import read_results, write_report;"
        "folder = Path(sys.argv[1]); write_report(read_results(folder), folder)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [line["latency_p99_over_p50"] for line in csv.DictReader(file)] == ["4.5"]
    text = (tmp_path / "report.md").read_text()
    assert "| slowest of a hundred |" in text
    assert "| 4.5 |" in text
    packed = re.search(r'data-part="counter">([^<]*)<', (tmp_path / "index.html").read_text())
    assert packed
    opened = json.loads(gzip.decompress(base64.b64decode(packed[1])))
    assert ">slowest of a hundred</th>" in opened["counter.redis-incr"]
    assert "<td>4.5</td>" in opened["counter.redis-incr"]
    assert (
        "<dt>slowest of a hundred <small>p99 latency over p50</small></dt><dd>4.5</dd>"
        in opened["counter.redis-incr.sync-4.io"]
    )


@pytest.mark.process
def test_a_wrong_claim_fails_the_report(statelab: Statelab, tmp_path: Path) -> None:
    """A cell violated where held is predicted ends with exit code 1 and says so loudly."""
    services = tmp_path / "services"
    shutil.copytree(SERVICES, services)
    module = services / "webapp/counter/redis_get_set.py"
    text = module.read_text()
    assert "atomic_across=NOTHING" in text
    module.write_text(text.replace("atomic_across=NOTHING", "atomic_across=CLUSTER"))
    options = ["--mechanism", "redis-get-set", "--deployment", "gthread", "--window", "io"]
    done = statelab("run", "--app-dir", str(services), *options)
    assert done.returncode == 1
    assert "‼" in done.stdout
    report = (tmp_path / "latest" / "report.md").read_text()
    assert "Either the lab or the theory has a bug" in report.replace("\n", " ")


@pytest.mark.process
def test_another_app_runs_under_the_same_deployments(tmp_path: Path) -> None:
    """The app is a parameter: any WSGI import string, in its folder, is served as a deployment's file says. Its modules
    may have names of the lab's own: it meets its own."""
    (tmp_path / "servers.py").write_text(
        "import webapp\n\n\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [webapp.WORDS]\n"
    )
    (tmp_path / "webapp.py").write_text("WORDS = b'hello'\n")
    from urllib.request import urlopen

    from statelab.core.paths import DEPLOYMENTS
    from statelab.plan.app import App
    from statelab.plan.deployments import load_all

    names = ("dev-threaded", "gthread", "gevent", "gevent-unpatched", "waitress")
    deployments = load_all(DEPLOYMENTS, names)
    engine = LocalEngine(App(name="servers:app", folder=tmp_path, stores=frozenset()))
    try:
        engine.up([deployments[name] for name in names])
        for name in names:
            with urlopen(engine.url(name), timeout=10) as response:
                assert response.read() == b"hello"
    finally:
        engine.down()
