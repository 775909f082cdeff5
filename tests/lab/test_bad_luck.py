"""How a run ends that does not go well: stopped, killed, its load or a store dead. What was measured is kept."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from program import COMMAND, REPORTS, Statelab, results

pytestmark = pytest.mark.process


def _start(tmp_path: Path, *options: str) -> subprocess.Popen[str]:
    environment = {**os.environ, REPORTS: str(tmp_path)}
    command = [*COMMAND, "run", "--engine", "local", "--workload", "counter", "--deployment", "sync,gthread"]
    return subprocess.Popen(
        [*command, *options], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def _wait_for_histories(tmp_path: Path, cells: int) -> None:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        keys = {
            json.loads(line)["key"].partition(".")[0]
            for path in tmp_path.glob("*/recordings/*.jsonl")
            for line in _whole_lines(path)
        }
        if len(keys) >= cells:
            return
        time.sleep(0.1)
    pytest.fail("nothing was recorded")


def _whole_lines(path: Path) -> list[bytes]:
    return path.read_bytes().split(b"\n")[:-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way(tmp_path: Path, number: int) -> None:
    """Ctrl-C and SIGTERM end everything, keep what was measured, and the report says what is missing."""
    with _start(tmp_path) as lab:
        _wait_for_histories(tmp_path, 3)
        lab.send_signal(number)
        output, _ = lab.communicate(timeout=60)
    assert lab.returncode == 130, output
    found = results(tmp_path)
    measured = [cell for cell in found["cells"] if cell["operations"]]
    assert len(measured) >= 2
    assert found["manifest"]["stopped"]
    assert len(found["manifest"]["missing"]) > 50
    assert "missing" in output


def test_the_load_that_dies_half_way(tmp_path: Path) -> None:
    """What was measured before is kept and reported, with the reason why the rest is missing."""
    with _start(tmp_path) as lab:
        _wait_for_histories(tmp_path, 4)
        load = [child for child in psutil.Process(lab.pid).children() if "locustfile.py" in " ".join(child.cmdline())]
        assert len(load) == 1
        load[0].kill()
        output, _ = lab.communicate(timeout=60)
    assert lab.returncode == 2, output
    found = results(tmp_path)
    assert sum(1 for cell in found["cells"] if cell["operations"]) >= 3
    assert "Locust ended" in found["manifest"]["stopped"]
    assert "missing" in output


def test_killed(tmp_path: Path, statelab: Statelab) -> None:
    """After SIGKILL nothing is left running, and what was recorded can still be reported."""
    with _start(tmp_path) as lab:
        _wait_for_histories(tmp_path, 3)
        lab.kill()
        lab.communicate(timeout=60)
    run = next(path for path in tmp_path.iterdir() if path.is_dir())
    deadline = time.monotonic() + 30
    while list(run.glob("recordings/*.jsonl")) and time.monotonic() < deadline:
        if statelab("report", str(run)).returncode == 0:
            break
    found = json.loads((run / "results.json").read_text())
    assert any(cell["operations"] for cell in found["cells"])


def test_a_store_that_dies(tmp_path: Path) -> None:
    """Its operations are unknown, its cells do not pass, the other cells go on, and the report says so."""
    options = ["--mechanism", "redis-incr,sqlite-update", "--window", "io,call", "--runs", "2"]
    with _start(tmp_path, *options) as lab:
        _wait_for_histories(tmp_path, 1)
        stores = [child for child in psutil.Process(lab.pid).children() if "redis.sock" in " ".join(child.cmdline())]
        assert len(stores) == 1
        stores[0].kill()
        output, _ = lab.communicate(timeout=200)
    assert lab.returncode == 0, output
    found = results(tmp_path)
    redis = [cell for cell in found["cells"] if cell["mechanism"] == "redis-incr"]
    assert all(cell["verdict"] == "not-exercised" for cell in redis)
    assert sum(cell["operations"]["info"] for cell in redis) > 0
    assert any("redis did not answer" in note for note in found["manifest"]["notes"])
    assert {cell["verdict"] for cell in found["cells"] if cell["mechanism"] == "sqlite-update"} == {"held"}
