"""Bad input and bad luck: one line that says what is wrong and names what would be right."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from program import COMMAND, REPORTS, Statelab
from statelab.cli.main import in_words
from statelab.core.errors import EngineFailed
from statelab.core.paths import LOADTESTS
from statelab.deploy.choose import choose
from statelab.plan.app import App


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["run", "--deployment", "sync,nginx"], ["'nginx'", "gthread-2x4", "dev-processes"]),
        (["run", "--mechanism", "redis"], ["'redis'", "redis-incr", "module-global"]),
        (["run", "--window", "wide"], ["'wide'", "tight", "call", "yield", "io"]),
        (["run", "--workload", "sessions"], ["'sessions'", "counter"]),
        (["run", "--profile", "huge"], ["'huge'", "essentials", "standard", "thorough"]),
        (["run", "--engine", "podman"], ["'podman'", "auto", "compose", "local"]),
        (["run", "--runs", "0"], ["--runs", "1"]),
        (["run", "--profile", "quick", "--mechanism", "lru-cache", "--app", "nothing:here"], ["nothing:here"]),
        (["run", "--mechanism", "./none.py"], ["./none.py", "no such Python file"]),
        (["run", "--mechanism", __file__], ["name the one workload", "--workload counter"]),
        (
            ["run", "--mechanism", __file__, "--workload", "lock"],
            [__file__, "line 1: there is no `def work("],
        ),
        (["report", "reports/never"], ["reports/never", "no run folder"]),
    ],
)
def test_unknown_names(statelab: Statelab, tmp_path: Path, arguments: list[str], named: list[str]) -> None:
    """Exit code 2, one line, the wrong name and the valid ones in it, and nothing started or written."""
    done = statelab(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert all(name in done.stderr for name in named)
    assert list(tmp_path.iterdir()) == []


def test_list_names_everything(statelab: Statelab) -> None:
    """`list` prints the names that the other commands take."""
    done = statelab("list")
    assert done.returncode == 0
    for name in ("redis-incr", "gthread-2x4", "standard", "io"):
        assert name in done.stdout


def test_docker_that_does_not_answer(tmp_path: Path) -> None:
    """Asked for Compose where Docker does not answer: one sentence that says what to do, nothing left behind."""
    environment = {**os.environ, REPORTS: str(tmp_path), "DOCKER_HOST": f"unix://{tmp_path}/no.sock"}
    command = [*COMMAND, "run", "--profile", "quick", "--engine", "compose"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "make engine" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


OLD_USAGE = "unknown flag: --file\nSee 'docker --help'.\n\nUsage:  docker [OPTIONS] COMMAND\n"
NEW_USAGE = (
    "unknown flag: --file\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n"
)


@pytest.mark.process
@pytest.mark.parametrize("usage", [OLD_USAGE, NEW_USAGE], ids=["20.10", "28.2"])
def test_docker_without_the_compose_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, usage: str) -> None:
    """That the plugin is missing and how to get it, instead of Docker's usage text; `auto` takes local processes."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "usage").write_text(usage)
    docker = programs / "docker"
    docker.write_text(f"#!/bin/sh\n[ $1 = compose ] || exit 0\ncat {programs}/usage >&2\nexit 125\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(EngineFailed) as refused:
        choose("compose", App())[0].up([])
    for word in ("has no Compose plugin", "docker-compose-plugin", "make engine", "ENGINE=local"):
        assert word in str(refused.value)
    assert "Usage" not in str(refused.value)
    assert "\n" not in str(refused.value)
    engine, reason = choose("auto", App())
    engine.down()
    assert (engine.name, reason) == ("local", "Docker has no Compose plugin, so local processes")


@pytest.mark.process
def test_auto_says_what_it_took_and_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no Docker Engine answers `auto` is local, and says so."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    engine, reason = choose("auto", App())
    engine.down()
    assert engine.name == "local"
    assert "no Docker Engine answers" in reason


def test_a_full_disk_is_said_to_be_full() -> None:
    """The system's error becomes a sentence with what to do."""
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "reports/x")
    assert in_words(error) == "reports/x: No space left on device: the disk is full, make room and try again"


def test_a_history_that_cannot_be_written_ends_the_load(tmp_path: Path) -> None:
    """A hole in a history would be a false verdict: the load ends at once, with a sentence."""
    script = (
        "import os, sys; from pathlib import Path; from socket import gethostname;"
        "from recording import Recorder; from statelab.core.operation import Operation;"
        "folder = Path(sys.argv[1]); file = folder / f'history-{gethostname()}-{os.getpid()}.jsonl';"
        "file.symlink_to('/dev/full');"
        "Recorder(folder).write(Operation(process=1, op='read', start=1, end=2, status='ok'))"
    )
    environment = {**os.environ, "PYTHONPATH": str(LOADTESTS)}
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 74
    assert "No space left on device" in done.stderr
