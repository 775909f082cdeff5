"""`statelab repro`: what it prints, leaves and returns, and that nothing it started outlives it."""

import os
import re
import signal
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from program import COMMAND, REPORTS, Statelab
from statelab.cli import repro
from statelab.core.operation import read_recording


@pytest.mark.process
def test_one_cell_step_by_step(statelab: Statelab, tmp_path: Path) -> None:
    """Schedule, proof and timeline are printed; the history and the picture are kept."""
    done = statelab("repro", "counter/module-global", "--deployment", "gthread", "--engine", "local", "--runs", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "predicted: lost-update" in done.stdout
    assert "held between its read and its write" in done.stdout
    assert "Reproduced: lost-update" in done.stdout
    assert "A and B were both told 3." in done.stdout
    assert "● held … ● let go" in done.stdout
    assert "3/3" in done.stdout
    left = tmp_path / "repro" / "counter.module-global.gthread.lost-update"
    assert len(read_recording(left.with_name(f"{left.name}.jsonl"))) == 5
    assert "Timeline of lost-update" in left.with_name(f"{left.name}.svg").read_text()


@pytest.mark.process
def test_all_under_one_server_without_two_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each red cell and a sum; what the server never offers is no failure, what is missing makes exit code 3
    and says how to get it."""
    monkeypatch.setattr("statelab.deploy.stores.find", lambda *names: None)
    output = StringIO()
    code = repro.repro(
        Console(file=output), cell="", deployment=["dev-threaded"], engine="local", everything=True, profile="", runs=2
    )
    lines = [" ".join(line.split()) for line in output.getvalue().splitlines()]
    assert code == 3
    assert any(line.startswith("reproduced 2/2 lost-update counter/module-global on dev-threaded") for line in lines)
    assert any(line.startswith("reproduced 2/2 misreported counter/redis-incr-get on dev-threaded") for line in lines)
    assert any(line.startswith("not offered counter/gunicorn-stash on dev-threaded: gunicorn alone") for line in lines)
    missing = [line for line in lines if line.startswith("unavailable counter/memcached-get-set on dev-threaded")]
    assert "apt-get install memcached" in missing[0]
    assert re.match(r"\d+ red cells, 2 run\(s\) each: \d+ reproduced, \d+ not offered, \d+ unavailable, in", lines[-1])


@pytest.mark.process
def test_stopped_half_way(tmp_path: Path) -> None:
    """Ctrl-C while requests are held and let go ends all of it; what was shown before has been printed."""
    arguments = ["repro", "--all", "--deployment", "dev-threaded", "--engine", "local", "--runs", "50"]
    environment = {**os.environ, REPORTS: str(tmp_path)}
    with subprocess.Popen(
        [*COMMAND, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as lab:
        assert lab.stdout
        printed = [lab.stdout.readline(), lab.stdout.readline()]
        lab.send_signal(signal.SIGINT)
        _, said = lab.communicate(timeout=60)
    assert printed[1].startswith("reproduced      50/50")
    assert (lab.returncode, said.strip()) == (130, "statelab: stopped")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["repro", "counter/module-global"], ["--all", "--deployment"]),
        (["repro", "counter/module-global", "--profile", "servers"], ["--profile", "--all"]),
        (["repro", "--all", "--profile", "nothing"], ["'nothing'", "servers"]),
        (["repro", "counter/magic", "--deployment", "sync"], ["'magic'", "module-global"]),
        (["repro", "counter/redis-incr", "--all"], ["nothing to reproduce"]),
        (["repro", "--all", "--engine", "podman"], ["'podman'", "compose", "local"]),
    ],
)
def test_bad_input(statelab: Statelab, tmp_path: Path, arguments: list[str], named: list[str]) -> None:
    """Exit code 2, one line that names what would be right, and nothing started or written."""
    done = statelab(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(name in done.stderr for name in named)
    assert list(tmp_path.iterdir()) == []
