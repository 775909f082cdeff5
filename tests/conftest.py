"""What many tests need: the program itself, and the certainty that nothing it started is left."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import app_environment  # noqa: F401  (first: the app reads it when it is imported)
from program import COMMAND
from program import REPORTS
from program import Statelab
from program import started_for

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell starts what runs in its background with SIGINT ignored, and children inherit that; tests press Ctrl-C."""


def segments_of(reports: Path) -> list[Path]:
    """Shared memory of the runs in that folder; the names of segments hold the keys of their cells."""
    tokens = [json.loads(path.read_text())["token"] for path in reports.glob("*/manifest.json")]
    return [path for path in Path("/dev/shm").glob("statelab-*") if any(token in path.name for token in tokens)]


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """A test that starts servers leaves none of them, and no shared memory."""
    yield
    if request.node.get_closest_marker("process"):
        _, alive = psutil.wait_procs(started_for(tmp_path), timeout=10)
        assert [process.cmdline() for process in alive] == []
        assert segments_of(tmp_path) == []


@pytest.fixture
def statelab(tmp_path: Path) -> Statelab:
    """Runs the program to its end; its reports go to a folder of the test's own."""

    def run(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, REPORTS: str(tmp_path), "COLUMNS": "120"}
        return subprocess.run(
            [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    return run
