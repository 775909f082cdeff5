"""What many tests need: the program itself, and the certainty that nothing it started is left."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import pytest
from xdist.scheduler import LoadScopeScheduling

import app_environment  # noqa: F401  (first: the app reads it when it is imported)
from program import COMMAND, REPORTS, Statelab, started_for

signal.signal(signal.SIGINT, signal.default_int_handler)
"""A shell starts what runs in its background with SIGINT ignored, and children inherit that; tests press Ctrl-C."""


def segments_of(reports: Path) -> list[Path]:
    """Shared memory of the runs in that folder; the names of segments hold the keys of their cells."""
    tokens = [json.loads(path.read_text())["token"] for path in reports.glob("*/manifest.json")]
    return [path for path in Path("/dev/shm").glob("statelab-*") if any(token in path.name for token in tokens)]


class _Together(LoadScopeScheduling):  # type: ignore[misc]
    """What stays together in one worker of pytest-xdist: tests of a folder or of a file that share a fixture or an
    audit, and all that use the lab that is up. Every other test goes to whichever worker is free, in the order of the
    collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return _group(nodeid)


LAB = "lab"
UNDER_LOAD = "tests/on_servers/test_under_load.py"
FIRST = (LAB, UNDER_LOAD)
"""The groups that take minutes begin first, so that in the end no worker is alone with one of them."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {group: place for place, group in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(_group(item.nodeid), len(FIRST)))


def _group(nodeid: str) -> str:
    return _group_of_file(nodeid.partition("::")[0]) or nodeid


@cache
def _group_of_file(name: str) -> str | None:
    """None where each test is a group of its own."""
    file = Path(__file__).parents[1] / name
    if any(sign in _text(file) for sign in ("mark.docker", '"up", "--', '"up", *')):
        return LAB  # a machine has one lab with the names of Compose, and a checkout one that `load` and `down` find
    own, common = ("scope=" in text for text in map(_text, (file, file.with_name("conftest.py"))))
    if common and "autouse" not in _text(file.with_name("conftest.py")):  # else each worker has one of its own
        return str(file.parent)
    return name if own or common or "@cache\ndef audited(" in _text(file) else None


@cache
def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """For `--dist loadgroup`, whose own way does not know the ids of tests of this pytest."""
    return _Together(config, log) if config.getvalue("dist") == "loadgroup" else None


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
