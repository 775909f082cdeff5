"""The recipes of CONTRIBUTING.md for a deployment and for a server, done in a copy where nothing else is edited."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from program import COMMAND, REPORTS, measured
from statelab.core.paths import ROOT
from statelab.deploy.choose import docker_answers

DEPLOYMENT = "To add a deployment"
SERVER = "To add a server"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for folder in ("services", "loadtests", "src", "compose"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def follow(recipe: str, copy: Path) -> None:
    """Writes each file that the recipe shows, and adds each line that it shows to the file it names."""
    section = re.search(rf"## {recipe}\n(.*?)\n## ", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert section
    blocks = re.findall(r"\d\. (Write|Add its line to) `(.*?)`.*?```\w+\n(.*?)```", section.group(1), re.DOTALL)
    assert [step for step, _, _ in blocks].count("Add its line to") == 1
    for step, name, block in blocks:
        path = copy / name
        text = "".join(line.removeprefix("   ") for line in block.splitlines(keepends=True))
        if step == "Write":
            assert not path.exists()
            path.write_text(text)
        else:
            before = "  gthread-2x4: "
            assert before in path.read_text()
            path.write_text(path.read_text().replace(before, text + before))


def report(copy: Path, deployment: str, shows: dict[str, list[str]]) -> None:
    """Runs the copy: three counters show these anomalies, which are those that are predicted."""
    options = ["--deployment", deployment, "--mechanism", ",".join(shows), "--window", "io", "--workload", "counter"]
    environment = {**os.environ, REPORTS: str(copy / "reports"), "PYTHONPATH": str(copy / "src")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*COMMAND, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)

    expected = {(name, deployment): anomalies for name, anomalies in shows.items()}
    cells = measured(run, copy / "reports", *options, shows=expected)
    assert {place: cell["anomalies"] for place, cell in cells.items()} == expected
    assert all(cell["predicted"] == cell["anomalies"] for cell in cells.values())


@pytest.mark.process
def test_a_deployment_is_one_file(copy: Path) -> None:
    """It is read, described, predicted from, started and measured."""
    follow(DEPLOYMENT, copy)
    report(copy, "gthread-4x2", {"thread-local": ["divergent"], "redis-get-set": ["lost-update"], "redis-incr": []})


@pytest.mark.process
def test_a_server_is_one_file(copy: Path) -> None:
    """With an env file that names it, it is read, described, predicted from, started and measured."""
    follow(SERVER, copy)
    report(copy, "wsgiref", {"thread-local": ["never-persists"], "redis-get-set": ["lost-update"], "redis-incr": []})


@pytest.mark.docker
@pytest.mark.parametrize(
    ("recipe", "name", "setting", "on_request"),
    [(DEPLOYMENT, "gthread-4x2", ("WORKERS", "4"), []), (SERVER, "wsgiref", ("SERVER", "wsgiref"), ["on-request"])],
)
def test_it_is_one_line_of_the_compose_file(
    copy: Path, recipe: str, name: str, setting: tuple[str, str], on_request: list[str]
) -> None:
    """With its env file and its line a new deployment is a service like the others."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    follow(recipe, copy)
    compose = ["docker", "compose", "--file", str(copy / "compose/compose.yaml"), "--profile", "on-request"]
    done = subprocess.run([*compose, "config", "--format", "json"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    service = json.loads(done.stdout)["services"][name]
    assert setting in service["environment"].items()
    assert service["read_only"]
    assert service.get("profiles", []) == on_request
