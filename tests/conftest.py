"""What many tests need: the program itself, and the certainty that nothing it started is left."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from program import COMMAND
from program import REPORTS
from program import Statelab
from program import started_for

SEGMENTS = Path("/dev/shm")


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that starts servers leaves none of them, and no shared memory."""
    if not request.node.get_closest_marker("process"):
        yield
        return
    reports: Path = request.getfixturevalue("tmp_path")
    segments_before = set(SEGMENTS.glob("statelab-*"))
    yield
    _, alive = psutil.wait_procs(started_for(reports), timeout=10)
    assert [process.cmdline() for process in alive] == []
    assert set(SEGMENTS.glob("statelab-*")) - segments_before == set()


@pytest.fixture
def statelab(tmp_path: Path) -> Statelab:
    """Runs the program to its end; its reports go to a folder of the test's own."""

    def run(*arguments: str, timeout: float = 240) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, REPORTS: str(tmp_path), "COLUMNS": "120"}
        return subprocess.run(
            [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    return run
