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
from pathlib import Path

import msgspec
import pytest

from program import COMMAND
from program import REPORTS
from program import Statelab
from statelab.core.paths import COMPOSE
from statelab.core.paths import ROOT
from statelab.core.paths import SERVICES
from statelab.core.results import Cell
from statelab.core.results import Latency
from statelab.deploy.choose import docker_answers
from statelab.deploy.local import LocalEngine
from statelab.plan.deployments import parse

GUIDE = (ROOT / "CONTRIBUTING.md").read_text()


def block(language: str, after: str) -> str:
    """The first code block of a language after a heading, without its indentation."""
    found = re.search(rf"## {after}.*?```{language}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return "\n".join(line.removeprefix("   ") for line in found.group(1).splitlines()) + "\n"


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
    """It is offered, predicted, loaded, checked and on the page, by the file and the line of the recipe alone."""
    services = tmp_path / "services"
    shutil.copytree(SERVICES, services)
    (services / "webapp/counter/my_counter.py").write_text(block("python", "To add a mechanism"))
    table = services / "webapp/counter/__init__.py"
    line = re.search(r'Add `("my-counter": "my_counter",)`', GUIDE)
    assert line
    table.write_text(table.read_text().replace("table={", "table={\n        " + line.group(1)))

    options = ["--mechanism", "my-counter", "--deployment", "sync-4,gthread,gevent", "--window", "io"]
    done = statelab("run", "--app-dir", str(services), *options)

    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((tmp_path / "latest" / "results.json").read_text())["cells"]
    assert {cell["deployment"]: cell["anomalies"] for cell in cells} == {
        "sync-4": ["divergent"],
        "gthread": ["lost-update"],
        "gevent": ["lost-update"],
    }
    assert all(cell["predicted"] == cell["anomalies"] for cell in cells)
    assert "my-counter" in (tmp_path / "latest" / "index.html").read_text()
    assert "my-counter" in done.stdout


@pytest.mark.process
def test_a_workload_is_one_folder_one_file_and_a_judge(tmp_path: Path) -> None:
    """The files and table lines of the recipe give a workload that is served, loaded, judged and reported."""
    for folder in ("services", "loadtests", "src"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    tickets = tmp_path / "services/webapp/tickets"
    tickets.mkdir()
    (tickets / "__init__.py").write_text(block("python", "To add a workload"))
    (tickets / "my_counter.py").write_text(block("python", "To add a mechanism"))
    (tmp_path / "loadtests/tickets.py").write_text(block("python", "To add a workload.*?```python.*?```"))
    (tmp_path / "src/statelab/check/judges/tickets.py").write_text(
        block("python", "To add a workload.*?```python.*?```.*?```python.*?```")
    )
    add = {
        "services/webapp/catalogue.py": (
            "        COUNTER,\n",
            "        COUNTER,\n        TICKETS,\n",
            "from webapp.tickets import TICKETS",
        ),
        "loadtests/locustfile.py": (
            '    "counter": counter,\n',
            '    "counter": counter,\n    "tickets": tickets,\n',
            "import tickets",
        ),
    }
    for name, (before, after, line) in add.items():
        text = (tmp_path / name).read_text()
        assert before in text
        first = text.index("\nfrom ") if line else 0
        (tmp_path / name).write_text(text[:first] + f"\n{line}" * bool(line) + text[first:].replace(before, after))
    options = ["--engine", "local", "--workload", "tickets", "--deployment", "sync-4,gthread", "--window", "io"]
    environment = {**os.environ, REPORTS: str(tmp_path / "reports"), "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run(
        [*COMMAND, "run", *options], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((tmp_path / "reports/latest/results.json").read_text())["cells"]
    assert {(cell["workload"], cell["deployment"]): cell["anomalies"] for cell in cells} == {
        ("tickets", "sync-4"): ["divergent"],
        ("tickets", "gthread"): ["lost-update"],
    }


def test_a_checker_is_one_file_and_one_line(tmp_path: Path) -> None:
    """The file and the table line of the recipe give a model that accepts and rejects."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
    models = tmp_path / "src/statelab/check/models"
    (models / "tickets.py").write_text(block("python", "To add a checker"))
    table, first = (models / "__init__.py").read_text(), '    "counter": "counter.model",\n'
    assert first in table
    (models / "__init__.py").write_text(table.replace(first, first + '    "tickets": "tickets",\n'))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    script = (
        "from statelab.check.models import MODELS; from statelab.check.kernels.model import Deadline;"
        "from statelab.record.columns import History; from statelab.core.operation import Operation as O;"
        "told = lambda n: History.from_operations("
        "[O(process=1, op='increment', start=1, end=2, status='ok', result=n)]);"
        "check = lambda n: MODELS['tickets'].check(told(n), initial=MODELS['tickets'].initial, deadline=Deadline());"
        "print(check(100).verdict, check(99).verdict)"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["held", "violated"], done.stderr


def test_a_column_of_the_report_is_one_entry(tmp_path: Path) -> None:
    """With the entry of the recipe alone the column is on the page, in report.md and in results.csv."""
    shutil.copytree(ROOT / "src", tmp_path / "src")
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


@pytest.mark.docker
def test_a_deployment_is_one_line_of_the_compose_file(tmp_path: Path) -> None:
    """With its env file and its line the new deployment is a service like the others."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    shutil.copytree(ROOT / "compose", tmp_path / "compose")
    shutil.copytree(SERVICES, tmp_path / "services")
    (tmp_path / "services/deployments/gthread-4x2.env").write_text(block("", "To add a deployment"))
    text = COMPOSE.read_text()
    line = block("yaml", "To add a deployment")
    before = "  gthread-2x4: "
    assert before in text
    (tmp_path / "compose/compose.yaml").write_text(text.replace(before, line + before))
    command = ["docker", "compose", "--file", str(tmp_path / "compose/compose.yaml"), "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    service = json.loads(done.stdout)["services"]["gthread-4x2"]
    assert (service["environment"]["WORKERS"], service["environment"]["THREADS"]) == ("4", "2")
    assert service["read_only"]


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
    assert "Either the lab or the theory has a bug" in done.stdout.replace("\n", " ")


@pytest.mark.process
def test_a_deployment_is_one_file(tmp_path: Path) -> None:
    """The env file of the recipe is read, described, predicted from, and started."""
    path = tmp_path / "gthread-4x2.env"
    path.write_text(block("", "To add a deployment"))
    deployment = parse(path)
    assert deployment.description == "four gunicorn processes with two threads each"
    assert deployment.spread == {"threads", "processes"}
    assert deployment.expected_processes == 4
    engine = LocalEngine()
    try:
        engine.up([deployment])
        assert engine.url("gthread-4x2").startswith("http://127.0.0.1:")
    finally:
        engine.down()


@pytest.mark.process
def test_another_app_runs_under_the_same_deployments(tmp_path: Path) -> None:
    """The app is a parameter: any WSGI import string, in its folder, is served as a deployment's file says."""
    (tmp_path / "hello.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [b'hello']\n"
    )
    from urllib.request import urlopen

    from statelab.core.paths import DEPLOYMENTS
    from statelab.plan.app import App
    from statelab.plan.deployments import load_all

    deployments = load_all(DEPLOYMENTS)
    engine = LocalEngine(App(name="hello:app", folder=tmp_path))
    try:
        engine.up([deployments["dev-threaded"], deployments["gthread"], deployments["gevent"]])
        for name in ("dev-threaded", "gthread", "gevent"):
            with urlopen(engine.url(name), timeout=10) as response:
                assert response.read() == b"hello"
    finally:
        engine.down()
