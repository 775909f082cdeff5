"""compose/swarm: the stack that is made of the Compose file, and what it does on a Swarm of one node."""

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from statelab.core.paths import COMPOSE, ROOT
from statelab.deploy.choose import docker_answers

STACK = ROOT / "compose" / "swarm" / "stack.py"
NAME = "stack-of-a-test"
BRIDGE = "docker_gwbridge"
"""A network that a Swarm makes, and leaves."""
READY_S = 240.0
PROCESSES = 4
"""Two tasks with two workers each."""
SHOWS_NOTHING = ("not-exercised", "unknown")
TRIES = 3
"""Runs in which two tasks were not asked at the same time show nothing, and are done again."""

_spec = importlib.util.spec_from_file_location("stack", STACK)
assert _spec
assert _spec.loader
stack = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stack)

STORE = {"image": "redis:8", "mem_limit": "1", "pids_limit": 2, "command": ["redis-server"], "entrypoint": None}
PROJECT: dict[str, Any] = {
    "name": "statelab",
    "services": {
        "redis": STORE,
        "memcached": STORE,
        "postgres": STORE,
        "front": STORE,
        "sync": {
            "image": "statelab-app",
            "build": {"context": "."},
            "depends_on": {"redis": {"condition": "service_healthy"}},
            "environment": {"WORKERS": "1"},
            "healthcheck": {"test": ["CMD", "true"], "disable": True},
            "mem_limit": "536870912",
            "pids_limit": 512,
            "ports": [{"mode": "ingress", "host_ip": "127.0.0.1", "target": 8000, "published": "80"}],
            "pull_policy": "never",
            "security_opt": ["no-new-privileges:true"],
            "tmpfs": ["/tmp", "/state:uid=10001,mode=0700", "/run/own:uid=10001"],
            "volumes": [
                {"type": "bind", "source": "/lab/balancer.cfg", "target": "/balancer.cfg"},
                {"type": "volume", "source": "reports", "target": "/reports", "volume": {}},
                {"type": "volume", "source": "own", "target": "/run/own", "volume": {}},
            ],
        },
    },
    "configs": {"target": {"file": "/lab/statelab.toml"}},
    "volumes": {"reports": {"name": "statelab_reports"}, "own": {"driver_opts": {"type": "tmpfs", "o": "uid=10001"}}},
}


def test_a_service_in_the_words_of_a_stack() -> None:
    made = stack.stack(PROJECT, ["sync"], [], "registry.test/lab")
    assert made["services"].keys() == {"redis", "memcached", "postgres", "sync"}
    assert made["services"]["sync"] == {
        "image": "registry.test/lab/statelab-app",
        "environment": {"WORKERS": "1"},
        "healthcheck": {"disable": True},
        "networks": ["default"],
        "ports": [],
        "volumes": [
            {"type": "tmpfs", "target": "/tmp"},
            {"type": "tmpfs", "target": "/state"},
            {"type": "volume", "source": "reports", "target": "/reports"},
            {"type": "volume", "source": "own", "target": "/run/own"},
        ],
        "configs": [{"source": "balancer", "target": "/balancer.cfg"}],
        "deploy": {
            "endpoint_mode": "dnsrr",
            "replicas": 1,
            "resources": {"limits": {"memory": "536870912", "pids": 512}},
            "restart_policy": {"condition": "any"},
        },
    }
    assert made["volumes"] == {"own": {"driver_opts": {"type": "tmpfs", "o": "uid=10001"}}, "reports": {}}
    assert made["configs"] == {"balancer": {"file": "/lab/balancer.cfg"}}
    assert made["services"]["redis"]["image"] == "redis:8"


def test_what_is_named_is_published_on_its_host() -> None:
    """Never by the mesh, which needs IPVS."""
    made = stack.stack(PROJECT, ["sync"], ["sync"], "")
    assert made["services"]["sync"]["ports"] == [{"target": 8000, "mode": "host"}]
    assert made["services"]["sync"]["image"] == "statelab-app"


@pytest.mark.parametrize("name", ["snyc", "front"])
def test_a_service_that_is_not_there(name: str) -> None:
    with pytest.raises(SystemExit, match=f"no service '{name}'; valid are sync"):
        stack.stack(PROJECT, [name], [], "")


def docker(*arguments: str, **options: Any) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True, **options).stdout


@pytest.fixture
def swarm() -> Iterator[None]:
    """A Swarm of this machine alone, where there is none; afterwards there is none again, and nothing of the stack."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    if docker("info", "--format", "{{.Swarm.LocalNodeState}}").strip() != "inactive":
        pytest.skip("this machine is in a Swarm of somebody's")
    there = BRIDGE in docker("network", "ls", "--format", "{{.Name}}").split()
    docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1")
    try:
        yield
    finally:
        docker("stack", "rm", NAME)
        docker("swarm", "leave", "--force")
        mine = f"label=com.docker.stack.namespace={NAME}"
        deadline = time.monotonic() + 60
        while docker("ps", "--all", "--quiet", "--filter", mine) and time.monotonic() < deadline:
            time.sleep(0.5)
        for volume in docker("volume", "ls", "--quiet", "--filter", mine).split():
            docker("volume", "rm", volume)
        for network in docker("network", "ls", "--quiet", "--filter", mine).split():
            docker("network", "rm", network)
        if not there:
            docker("network", "rm", BRIDGE)
    assert docker("ps", "--all", "--quiet", "--filter", mine) == ""


def task() -> dict[str, str]:
    """The last task of the service that measures."""
    shown = docker("service", "ps", f"{NAME}_run", "--no-trunc", "--format", "{{json .}}").splitlines()
    found: dict[str, str] = json.loads(shown[0])
    return found


def measured_in_the_stack(folder: Path, before: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The cells of the run after the task `before`, by mechanism and window, when it has ended."""
    deadline = time.monotonic() + READY_S
    while (
        not (state := task()["CurrentState"]).startswith(("Complete", "Failed", "Rejected")) or task()["ID"] == before
    ):
        assert time.monotonic() < deadline, docker("service", "ls") + docker("service", "logs", f"{NAME}_run")
        time.sleep(0.5)
    logs = subprocess.run(["docker", "service", "logs", f"{NAME}_run"], capture_output=True, text=True, check=False)
    assert state.startswith("Complete"), task()["Error"] + logs.stdout + logs.stderr
    beside = docker("create", "--volume", f"{NAME}_reports:/reports:ro", "statelab-run").strip()
    docker("cp", f"{beside}:/reports/.", str(folder / "reports"))
    docker("rm", beside)
    results = max((folder / "reports").glob("20*/results.json"))
    return {(cell["mechanism"], cell["window"]): cell for cell in json.loads(results.read_text())["cells"]}


@pytest.mark.docker
def test_a_run_from_inside_of_a_stack(swarm: None, tmp_path: Path) -> None:
    """Two tasks behind one name, measured by a third service: what files keep is there twice, what Redis keeps once."""
    files = ["--file", str(COMPOSE), "--file", str(STACK.with_name("overlay.yaml"))]
    docker("compose", *files, "--profile", "on-request", "build", "sync", "run")
    environment = {**os.environ, "LAB_WORKLOAD": "counter", "LAB_MECHANISM": "file-flock,redis-incr"}
    made = subprocess.run(
        [sys.executable, str(STACK), "replicas-2", "run"], env=environment, capture_output=True, text=True, check=True
    )
    file = tmp_path / "stack.json"
    file.write_text(made.stdout)
    docker("stack", "deploy", "--compose-file", str(file), "--resolve-image", "never", NAME)
    ran = ""
    for _ in range(TRIES):
        cells, ran = measured_in_the_stack(tmp_path, ran), task()["ID"]
        broken, kept = cells["file-flock", "io"], cells["redis-incr", "io"]
        if broken["anomalies"] and kept["verdict"] not in SHOWS_NOTHING:
            break
        for cell in cells.values():  # a busy machine shows too little, and that is never `held`
            if cell["coverage"]["processes"] < PROCESSES:
                assert cell["verdict"] in SHOWS_NOTHING or cell["anomalies"], cell
        docker("service", "update", "--force", "--detach", f"{NAME}_run")
    assert (broken["anomalies"], broken["coverage"]["processes"]) == (["divergent"], PROCESSES), broken
    assert (kept["verdict"], kept["anomalies"], kept["coverage"]["processes"]) == ("held", [], PROCESSES), kept
