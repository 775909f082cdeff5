"""`statelab load` on several machines: what it refuses, and what it tells the person."""

import json
import socket
import subprocess
from typing import Any

import pytest
from click.testing import CliRunner

from program import free_port
from statelab.cli.main import cli
from statelab.core.errors import BadInput, EngineFailed

TARGETS = {"gthread": "http://127.0.0.1:9"}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of the Locusts that would have been started."""
    commands = list[list[str]]()

    def run(command: list[str], **_: Any) -> "subprocess.CompletedProcess[str]":
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr("statelab.cli.load.subprocess.run", run)
    monkeypatch.setattr("statelab.cli.load.any_offers", lambda addresses: True)
    monkeypatch.setenv("LAB_TARGETS", json.dumps(TARGETS))
    monkeypatch.setenv("LAB_MASTER_PORT", str(free_port()))
    monkeypatch.setenv("LAB_WEB_PORT", str(free_port()))
    return commands


def said(*options: str) -> str:
    done = CliRunner().invoke(cli, ["load", *options], catch_exceptions=False, standalone_mode=False)
    return done.output.replace("\n", " ")


def test_a_master_listens_where_it_is_told_and_says_who_may_join(started: list[list[str]]) -> None:
    """At every address with 1, at one with its address; the web UI always on this machine only."""
    assert "whoever reaches port" in said("--master", "1")
    assert "LAB_TARGETS says where they can" in said("--master", "1")
    assert "LAB_TARGETS says where they can" not in said("--master", "127.0.0.1")
    bound = [command[command.index("--master-bind-host") + 1] for command in started]
    assert bound == ["0.0.0.0", "0.0.0.0", "127.0.0.1"]
    assert {command[command.index("--web-host") + 1] for command in started} == {"127.0.0.1"}


def test_a_worker_needs_no_lab(started: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told by its master what to load, and where."""
    monkeypatch.delenv("LAB_TARGETS")
    assert "a worker of 10.0.0.5, port" in said("--worker-of", "10.0.0.5")
    assert started[0][-5:-2] == ["--worker", "--master-host", "10.0.0.5"]


def test_bad_input(started: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once; addresses that are none; a port that is taken. Nothing is started."""
    with pytest.raises(BadInput, match="leave --master or --worker-of out"):
        said("--master", "1", "--worker-of", "host")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("LAB_MASTER_PORT", str(taken.getsockname()[1]))
        with pytest.raises(EngineFailed, match="LAB_MASTER_PORT"):
            said("--master", "127.0.0.1")
    for wrong in ("http://here", "[]", '{"gthread": 8000}'):
        monkeypatch.setenv("LAB_TARGETS", wrong)
        with pytest.raises(BadInput, match="LAB_TARGETS is not a JSON object"):
            said("--master", "1")
    assert started == []
