"""Requests that meet within a line of code: the load that lets all clients go together, on the ordinary interpreter,
and the two deployments of a free-threaded one, here with one that only says that it is.

What a real free-threaded interpreter does is not tested here: few machines have one.
"""

import platform
import re
import sys
from pathlib import Path

import pytest

from program import Statelab, results
from statelab.check.judges.counter.judge import judge
from statelab.check.judges.judgement import Expectation
from statelab.core.load import Cell
from statelab.core.operation import RECORDINGS, read_recording
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.drive.locust import Load
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.plan.profiles import PROFILES
from statelab.record.columns import History

pytestmark = pytest.mark.process

TIMES = 4
DEPLOYED = ("gthread-free-threaded", "dev-threaded-free-threaded")


def test_requests_that_count_many_times_meet(tmp_path: Path) -> None:
    """Eight requests are let go together, each counts four times and waits 2 ms in each: they meet. Without a lock
    updates are lost, with one none is, and the bound of that rests on the meetings."""
    deployment = load_all(DEPLOYMENTS)["gthread"]
    engine = LocalEngine(App(workloads=("counter",), stores=frozenset()))
    expectation = Expectation(expected_processes=1, spread=deployment.spread)
    found = {}
    try:
        engine.up([deployment])
        with Load(tmp_path, PROFILES["standard"]) as load:
            for name in ("module-global", "module-global-lock"):
                done = load.run(
                    Cell(
                        url=engine.url("gthread"),
                        workload="counter",
                        mechanism=name,
                        window="io",
                        key=name,
                        processes=1,
                        servers=2,
                        min_seconds=0.2,
                        max_seconds=1.0,
                        min_operations=24,
                        audits=3,
                        times=TIMES,
                    )
                )
                assert done.answered >= 24
                assert not done.timed_out
        operations = [each for path in tmp_path.glob(RECORDINGS) for each in read_recording(path)]
    finally:
        engine.down()
    for name in ("module-global", "module-global-lock"):
        of_it = [each for each in operations if each.key == name]
        counted = [each for each in of_it if each.op == "increment"]
        found[name] = judge(History.from_operations(of_it), expectation)
        assert found[name].operations.ok == TIMES * len(counted)
        assert (found[name].coverage.met or 0) > 8
    assert found["module-global"].anomalies == ["lost-update"]
    assert found["module-global-lock"].verdict == "held"
    assert "requests counted at the same time" in found["module-global-lock"].reason


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """An ordinary interpreter that says it is free-threaded, with the packages of the one that runs this."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, sysconfig\n"
        "sys._is_gil_enabled = lambda: False\n"
        "sysconfig.get_config_vars()['Py_GIL_DISABLED'] = 1\n"
    )
    program = tmp_path / "python3.14t"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return program


def test_the_deployments_of_a_free_threaded_interpreter(
    statelab: Statelab, tmp_path: Path, stand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are served by it, the ordinary one beside them by its own; lost updates are predicted where no lock keeps
    threads apart, although nothing stands in the window; and each bound rests on meetings."""
    options = ["--engine", "local", "--workload", "counter", "--window", "tight", "--mechanism", "module-global"]
    monkeypatch.setenv("FREE_THREADED_PYTHON", str(stand_in))
    done = statelab("run", *options, "--deployment", ",".join(["gthread", *DEPLOYED]))
    assert done.returncode == 0, done.stdout + done.stderr
    cells = {cell["deployment"]: cell for cell in results(tmp_path)["cells"]}
    predicted = {name: cell["predicted"] for name, cell in cells.items()}
    assert predicted == {"gthread": []} | {name: ["lost-update"] for name in DEPLOYED}
    assert {cell["verdict"] for cell in cells.values()} <= {"held", "not-exercised"}
    assert all(isinstance(cell["coverage"]["met"], int) for cell in cells.values())
    versions = results(tmp_path)["manifest"]["versions"]
    assert versions["python of dev-threaded-free-threaded"] == f"{platform.python_version()} without the GIL"


def test_without_a_free_threaded_interpreter_they_are_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason; another app is served by its own interpreter, and the server itself refuses one with a lock."""
    monkeypatch.setenv("FREE_THREADED_PYTHON", sys.executable)
    deployments = [load_all(DEPLOYMENTS, DEPLOYED)[name] for name in DEPLOYED]
    for app, reason in (
        (App(workloads=("counter",), stores=frozenset()), "FREE_THREADED_PYTHON=.*, and no free-threaded build"),
        (
            App(name="shop:app", folder=DEPLOYMENTS, stores=frozenset()),
            "serve: FREE_THREADED=1 needs a free-threaded CPython",
        ),
    ):
        engine = LocalEngine(app)
        try:
            engine.up(deployments)
            assert [re.search(reason, engine.reasons()[name]) is None for name in DEPLOYED] == [False, False]
        finally:
            engine.down()
