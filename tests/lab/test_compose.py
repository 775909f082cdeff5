"""The whole lab as containers: everything healthy, hardened and on loopback, a report over it, and nothing left."""

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from program import COMMAND, REPORTS
from statelab.core.errors import EngineFailed
from statelab.core.paths import COMPOSE, DEPLOYMENTS, ROOT, SERVICES
from statelab.deploy import running
from statelab.deploy.choose import docker_answers
from statelab.deploy.compose import ComposeEngine, explain
from statelab.plan.app import App
from statelab.plan.deployments import load_all
from statelab.plan.profiles import SEED, SEED_DEPLOYMENTS
from statelab.report.docs.findings_page import FOLDER, Finding, load, of_this_python
from statelab.repro.live import front

STORES = {"redis", "memcached", "postgres"}
ELSEWHERE = [finding for finding in load() if not of_this_python(finding)]
EVERYTHING = STORES | set(load_all(DEPLOYMENTS)) | {"locust", "front"}
LIMIT_BYTES = 1.5 * 2**30


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def lab(*arguments: str, reports: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, REPORTS: str(reports)}
    return subprocess.run([*COMMAND, *arguments], env=environment, capture_output=True, text=True, check=False)


def containers() -> list[dict[str, Any]]:
    ids = docker("compose", "--file", str(COMPOSE), "ps", "--all", "--quiet").split()
    found: list[dict[str, Any]] = json.loads(docker("inspect", *ids)) if ids else []
    return found


def service(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])


@pytest.mark.docker
def test_a_port_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence says which setting moves the port; everything else comes up all the same."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("LAB_WEB_PORT", str(taken.getsockname()[1]))
        done = lab("up", "--engine", "compose", "--deployment", "sync,gevent-2", reports=tmp_path)
        try:
            words = done.stdout.replace("\n", " ")
            assert "LAB_WEB_PORT" in words
            assert all(f" {name} " in words for name in ("sync", "gevent-2")), words
            assert words.count("unavailable") == 1, words
            well = {service(one) for one in containers() if one["State"].get("Health", {}).get("Status") == "healthy"}
            assert well >= {"sync", "gevent-2", *STORES}, well
        finally:
            lab("down", reports=tmp_path)


@pytest.mark.docker
def test_a_reproduction(tmp_path: Path) -> None:
    """A gate holds a process in a container as it holds one here; afterwards nothing of it is left."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    cell = ("counter/redis-get-set", "--deployment", "sync-4")
    done = lab("repro", *cell, "--engine", "compose", "--runs", "5", reports=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Reproduced: lost-update" in done.stdout
    assert "5/5" in done.stdout
    assert containers() == []


@pytest.mark.docker
def test_a_mechanism_from_outside(tmp_path: Path) -> None:
    """It is measured in the containers, beside a mechanism of the lab."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    file = tmp_path / "my_store.py"
    file.write_text((SERVICES / "webapp/counter/module_global.py").read_text())
    options = ["--workload", "counter", "--mechanism", f"{file},redis-incr", "--deployment", "sync-4", "--window", "io"]
    done = lab("run", "--engine", "compose", *options, reports=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((tmp_path / "latest" / "results.json").read_text())["cells"]
    assert {cell["mechanism"]: cell["anomalies"] for cell in cells} == {"my-store": ["divergent"], "redis-incr": []}
    assert containers() == []


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The whole lab, up; afterwards it is down and nothing of it is left."""
    if not docker_answers():
        pytest.skip("no Docker Engine answers: make engine installs one")
    reports = tmp_path_factory.mktemp("reports")
    done = lab("up", "--engine", "compose", reports=reports)
    try:
        assert done.returncode == 0, done.stderr
        yield reports
    finally:
        stopped = lab("down", reports=reports)
    assert stopped.returncode == 0, stopped.stderr
    assert containers() == []
    label = "label=com.docker.compose.project=statelab"
    assert docker("volume", "ls", "--quiet", "--filter", label) == ""
    assert docker("network", "ls", "--quiet", "--filter", label) == ""


@pytest.mark.docker
def test_everything_is_healthy_with_one_command(up: Path) -> None:
    """`up` brings the stores, all ten deployments, Locust and the front page up, and each of them is healthy."""
    health = {service(container): container["State"]["Health"]["Status"] for container in containers()}
    assert health == dict.fromkeys(EVERYTHING, "healthy")


@pytest.mark.docker
def test_idle_memory(up: Path) -> None:
    """The whole lab idle stays within 1.5 GiB."""
    used = 0.0
    for line in docker("stats", "--no-stream", "--format", "{{json .}}").splitlines():
        row = json.loads(line)
        if row["Name"].startswith("statelab-"):
            used += _bytes(row["MemUsage"].split("/")[0].strip())
    assert 0 < used <= LIMIT_BYTES


@pytest.mark.docker
def test_the_front_page(up: Path) -> None:
    """One address shows what is up and presses the button on every deployment; each of their own leads there."""
    page = f"http://127.0.0.1:{front.port()}"
    with urllib.request.urlopen(f"{page}/lab", timeout=30) as answer:
        found = json.load(answer)
    assert [each for each in [*found["deployments"], *found["stores"]] if each["down"]] == []
    assert found["console"]
    (theory,) = [each["address"] for each in found["docs"] if each["name"] == "theory"]
    for address in (theory, "/play", "/finder"):
        with urllib.request.urlopen(f"{page}{address}", timeout=30) as answer:
            assert "</h" in answer.read().decode(), address
    query = "mechanism=redis-incr&window=io&key=front-compose&times=8"
    press = urllib.request.Request(f"{page}/count?{query}", method="POST", headers={"Origin": page})
    with urllib.request.urlopen(press, timeout=30) as answer:
        lines = [json.loads(line) for line in answer]
    assert {line["deployment"] for line in lines} == set(load_all(DEPLOYMENTS))
    assert all(each["status"] == "ok" for line in lines for each in line["answers"])
    engine = ComposeEngine()
    engine.look()
    with urllib.request.urlopen(f"{engine.url('sync-4')}/", timeout=30) as answer:
        assert answer.url == f"{page}/"


@pytest.mark.docker
@pytest.mark.parametrize(("arguments", "code"), [((), 1), (("--fix",), 0)])
def test_a_statement_that_two_threads_share(up: Path, arguments: tuple[str, ...], code: int) -> None:
    """The Python of the containers has the defect, and none without a cache of statements."""
    script = (ROOT / "examples" / "sqlite_shared_statement.py").read_text()
    command = ["docker", "run", "--rm", "--interactive", "--network", "none", "--entrypoint", "python3", "statelab-app"]
    done = subprocess.run([*command, "-", *arguments], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("InterfaceError: bad parameter or other API misuse" in done.stdout) == (code == 1)


@pytest.mark.docker
@pytest.mark.parametrize("finding", ELSEWHERE, ids=[finding.name for finding in ELSEWHERE])
def test_what_was_found_in_a_later_python(up: Path, finding: Finding) -> None:
    """docs/findings.md: red with the libraries of the containers as they are, green with the fix."""
    command = ["docker", "run", "--rm", "--network", "none", "--volume", f"{FOLDER}:/found:ro"]
    command += ["--entrypoint", "python3", "statelab-app", f"/found/{finding.name}.py"]
    expected, actual = finding.sections["Expected"], finding.sections["Actual"]
    for arguments, code, happens in ([], 1, actual), (["--fixed"], 0, expected):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (code, f"expected: {expected}\nactual: {happens}\n"), done.stderr


@pytest.mark.docker
def test_servers_on_request(up: Path) -> None:
    """They join the lab that is up, each as hardened as the others, measure as elsewhere, and go when the run ends. A
    replica shares no file with the other one; httpd has an image of its own."""
    asked = ("--deployment", "uwsgi-4,mod_wsgi-embedded,replicas-2-sticky")
    engine = ComposeEngine()
    deployments = load_all(DEPLOYMENTS, asked[1].split(","))
    engine.up([deployments[name] for name in asked[1].split(",")])
    try:
        assert engine.reasons() == {}
        assert len(containers()) == len(EVERYTHING) + 5
        require_hardened()
        cell = ("--workload", "counter", "--mechanism", "file-flock,redis-incr,uwsgi-cache-inc", "--window", "io")
        done = lab("run", "--engine", "compose", *cell, *asked, reports=up)
    finally:
        engine.down()
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((up / "latest" / "results.json").read_text())
    shown = {(cell["mechanism"], cell["deployment"]): cell["anomalies"] or cell["verdict"] for cell in found["cells"]}
    assert {place: told for place, told in shown.items() if told != "held"} == {
        ("file-flock", "replicas-2-sticky"): ["divergent"],
        ("uwsgi-cache-inc", "uwsgi-4"): ["misreported"],
        ("uwsgi-cache-inc", "mod_wsgi-embedded"): "unavailable",
        ("uwsgi-cache-inc", "replicas-2-sticky"): "unavailable",
    }
    assert len(containers()) == len(EVERYTHING)


@pytest.mark.docker
def test_threads_that_waited_at_import_end_no_worker(up: Path) -> None:
    """The last request wakes the scheduler's thread, which its worker does not have; the threads of a pool lie by then
    where that one waited. The workers would end with a segmentation fault, as docs/findings.md shows, had they not
    forgotten it (services/uwsgi_forked.py)."""
    engine = ComposeEngine()
    engine.up([load_all(DEPLOYMENTS, ["uwsgi-4"])["uwsgi-4"]])
    try:
        for workload, mechanism in ("connection", "postgres-pool"), ("once", "apscheduler-add-job"):
            cell = ("--workload", workload, "--mechanism", mechanism, "--deployment", "uwsgi-4")
            done = lab("run", "--engine", "compose", *cell, reports=up)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "Segmentation Fault" not in (up / "latest" / "logs" / "uwsgi-4.log").read_text()
    finally:
        engine.down()
    found = json.loads((up / "latest" / "results.json").read_text())
    assert [cell["anomalies"] for cell in found["cells"]] == [["never-ran"]]


@pytest.mark.docker
def test_everything_is_hardened(up: Path) -> None:
    """No root, nothing writable but memory, no capabilities, no new privileges, ports on loopback only."""
    require_hardened()


def require_hardened() -> None:
    for container in containers():
        host = container["HostConfig"]
        assert container["Config"]["User"].split(":")[0] not in ("", "0", "root"), service(container)
        assert host["ReadonlyRootfs"], service(container)
        assert host["CapDrop"] == ["ALL"], service(container)
        assert "no-new-privileges:true" in host["SecurityOpt"], service(container)
        published = [entry for ports in container["NetworkSettings"]["Ports"].values() for entry in ports or []]
        assert {entry["HostIp"] for entry in published} <= {"127.0.0.1"}, service(container)
        assert not (published and service(container) in STORES)


def _bytes(text: str) -> float:
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "B": 1}
    unit = next(unit for unit in units if text.endswith(unit))
    return float(text.removesuffix(unit)) * units[unit]


@pytest.mark.docker
def test_a_quick_report(up: Path) -> None:
    """A quick report over containers shows what processes show; theory agrees; the lab that was up stays up."""
    done = lab("run", "--profile", "quick", "--engine", "compose", reports=up)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((up / "latest" / "results.json").read_text())
    shown = {(cell["workload"], cell["mechanism"], cell["deployment"]): cell["anomalies"] for cell in found["cells"]}
    assert shown["counter", "module-global", "gevent"] == ["lost-update"]
    assert shown["counter", "module-global", "sync-4"] == ["divergent"]
    assert shown["counter", "module-global", "dev-processes"] == ["never-persists"]
    assert shown["counter", "redis-get-set", "sync-4"] == ["lost-update"]
    assert all(shown["counter", "redis-incr", name] == [] for name in SEED_DEPLOYMENTS["counter"])
    assert {workload for workload, _, _ in shown} == set(SEED)
    assert {cell["verdict"] for cell in found["cells"]} == {"held", "violated"}
    assert len(containers()) == len(EVERYTHING)


@pytest.mark.docker
def test_a_lab_that_is_up_has_no_gates(up: Path) -> None:
    """A reproduction needs a lab of its own and says so, and leaves the one that is up as it is."""
    done = lab("repro", "counter/redis-get-set", "--deployment", "sync-4", "--engine", "compose", reports=up)
    assert (done.returncode, "make down" in done.stderr) == (2, True)
    assert len(containers()) == len(EVERYTHING)
    engine = ComposeEngine()
    engine.look()
    held = urllib.request.Request(f"{engine.url('sync')}/counter/module-global/increment?window=gate", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        urllib.request.urlopen(held)
    with refused.value as answer:
        assert b"gates are off" in answer.read()


@pytest.mark.docker
def test_a_deployment_that_does_not_answer_is_restarted_elsewhere(up: Path) -> None:
    """After a restart the engine names the deployment's new address, and it answers there."""
    engine = ComposeEngine()
    engine.look()
    engine.restart("sync")
    assert engine.url("sync").startswith("http://127.0.0.1:")


WORKERS = ("compose", "--file", str(COMPOSE), "--file", str(COMPOSE.with_name("workers.yaml")))
LOAD = {"user_count": "8", "spawn_rate": "8", "deployment": "sync-4", "window": "io"}
SHOWN_S = 60.0


@pytest.fixture
def master(up: Path) -> Iterator[str]:
    """Locust's page, as the master of two workers, each in a container and so in a network of its own."""
    docker(*WORKERS, "up", "--detach", "--wait", "--no-build", "--scale", "locust-worker=2", "locust", "locust-worker")
    try:
        require_hardened()
        yield running.compose_console()
    finally:
        docker(*WORKERS, "rm", "--stop", "--force", "locust-worker")
        docker("compose", "--file", str(COMPOSE), "up", "--detach", "--wait", "--no-build", "locust")


def _asked(url: str, form: dict[str, str] | None = None) -> Any:
    data = urllib.parse.urlencode(form).encode() if form else None
    with urllib.request.urlopen(url, data=data, timeout=30) as answer:
        return json.loads(answer.read())


@pytest.mark.docker
def test_load_by_two_workers(master: str) -> None:
    """The page judges what both of them record: four processes count apart."""
    deadline = time.monotonic() + SHOWN_S
    while len(workers := _asked(f"{master}/stats/requests")["workers"]) < 2:
        assert time.monotonic() < deadline, workers
        time.sleep(0.5)
    assert _asked(f"{master}/swarm", {**LOAD, "mechanism": "counter / module-global"})["success"]
    while (seen := _asked(f"{master}/statelab/seen")["seen"] or {}).get("verdict") != "violated":
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)
    _asked(f"{master}/stop", {"end": "now"})
    while not (seen := _asked(f"{master}/statelab/seen")["seen"]).get("ended"):
        assert time.monotonic() < deadline, seen
        time.sleep(0.5)
    assert (seen["verdict"], "divergent" in seen["reason"]) == ("violated", True), seen


FAKE = """#!/bin/sh
echo "$@" >> {folder}/calls
for word; do case $word in *.json) cp $word {folder}/added.json;; esac; done
"""


def test_a_mechanism_from_outside_is_mounted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read-only, into every deployment, where the app is told to find it; a second file for Compose says so, which is
    gone at the end. A file that a container's user could not read is refused first."""
    docker = tmp_path / "docker"
    docker.write_text(FAKE.format(folder=tmp_path))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    file = tmp_path / "my_store.py"
    file.write_text("")
    file.chmod(0o600)
    engine = ComposeEngine(app=App(mechanisms=(("counter", file),)))
    deployments = [load_all(DEPLOYMENTS)[name] for name in ("sync", "sync-4")]
    with pytest.raises(EngineFailed, match=r"`chmod o\+r .*my_store.py`"):
        engine.up(deployments)
    file.chmod(0o644)
    engine.up(deployments)
    engine.down()
    added = json.loads((tmp_path / "added.json").read_text())["services"]
    target = "/mechanisms/my_store.py"
    assert added.keys() == {"sync", "sync-4"}
    for service in added.values():
        assert json.loads(service["environment"]["MECHANISM_FILES"]) == {"counter": [target]}
        assert service["volumes"] == [{"type": "bind", "source": str(file), "target": target, "read_only": True}]
    up = next(line for line in (tmp_path / "calls").read_text().splitlines() if ".json" in line and " up " in line)
    name = next(word for word in up.split() if word.endswith(".json"))
    assert up.startswith(f"compose --file {COMPOSE} --file {name} --profile on-request up --detach --wait redis ")
    assert not Path(name).exists()


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("Bind for 127.0.0.1:8089 failed: port is already allocated", "LAB_WEB_PORT"),
        ("write /x: no space left on device", "the disk is full"),
        ("failed to resolve source metadata for docker.io/library/python:3.13-slim", "make engine"),
        ("Cannot connect to the Docker daemon at unix:///var/run/docker.sock", "no Docker Engine answers"),
        ("something nobody has seen\nbefore", "something nobody has seen\nbefore"),
    ],
)
def test_what_docker_prints_becomes_one_sentence(printed: str, said: str) -> None:
    """What is known to go wrong is said with what to do; what is not known is quoted."""
    assert said in explain(printed)
