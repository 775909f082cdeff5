"""Which lab is up: the process that wrote the file, and not whoever was given its pid afterwards."""

import subprocess
from pathlib import Path

import msgspec
import psutil
import pytest

from statelab.deploy import running


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(running, "UP", tmp_path / "state" / "up.json")
    return running.UP


def test_it_is_up_while_it_is_announced(file: Path) -> None:
    with running.announced({"sync": "http://127.0.0.1:1"}):
        up = running.lab()
        assert up
        assert up.pid == psutil.Process().pid
        assert up.addresses == {"sync": "http://127.0.0.1:1"}
    assert running.lab() is None


def test_a_file_that_was_left_names_nobody_else(file: Path) -> None:
    """The lab was killed and left its file; its pid is another process's now, which `down` must not end."""
    file.parent.mkdir()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        started = psutil.Process(stranger.pid).create_time()
        file.write_bytes(msgspec.json.encode(running.Up(stranger.pid, started - 3600, {})))
        assert running.lab() is None
        file.write_bytes(msgspec.json.encode(running.Up(stranger.pid, started, {})))
        up = running.lab()
        assert up
        assert up.pid == stranger.pid
        stranger.kill()
        stranger.wait()
        assert running.lab() is None
