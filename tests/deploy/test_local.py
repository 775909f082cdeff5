"""The local engine: what does not come up does not hold the others back, and everything it started ends."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace
from pymemcache.client.base import Client

from program import COMMAND, REPORTS, free_port, started_for, staying
from statelab.cli.up import about_gunicorn
from statelab.core.errors import Unavailable
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine, listening
from statelab.deploy.programs import Program
from statelab.plan.app import App
from statelab.plan.deployments import load_all

pytestmark = pytest.mark.process

COUNTER = App(workloads=("counter",))
"""The lab's own app with one workload, which starts in half of the time."""


def test_a_deployment_that_does_not_come_up() -> None:
    """Its error holds the last lines of its log; the other deployments answer."""
    good = load_all(DEPLOYMENTS)["sync"]
    bad = replace(good, name="bad", environment=good.environment | {"WORKER_CLASS": "nonsense"})
    engine = LocalEngine(COUNTER)
    try:
        engine.up([good, bad])
        assert engine.url("sync").startswith("http://127.0.0.1:")
        with pytest.raises(Unavailable, match=r"bad did not come up; its log ends with:(.|\n)*nonsense"):
            engine.url("bad")
        assert set(engine.addresses()) == {"redis", "memcached", "postgres", "sync"}
        assert set(engine.reasons()) == {"bad"}
    finally:
        engine.down()


def test_a_store_or_a_balancer_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no program is said to be missing, with how to get it; the others start."""
    for module in ("stores", "local"):
        monkeypatch.setattr(f"statelab.deploy.{module}.find", lambda *names: None)
    balanced = "replicas-2-sticky"
    engine = LocalEngine(COUNTER)
    try:
        engine.up([load_all(DEPLOYMENTS, [balanced])[balanced]])
        assert re.search("haproxy, which balances .*apt-get install haproxy", engine.reasons()[balanced])
        reasons = engine.store_reasons()
        assert "apt-get install memcached" in reasons["memcached"]
        assert "apt-get install postgresql" in reasons["postgres"]
        assert "redis" not in reasons  # the embedded one
    finally:
        engine.down()


def test_a_store_that_may_not_be_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store whose program the stores' user cannot execute, as in root's home, is said to be so; the lab comes up."""
    (tmp_path / "memcached").touch(mode=0o644)
    monkeypatch.setattr("statelab.deploy.stores.find", lambda *names: Program(tmp_path / "memcached"))
    engine = LocalEngine(App(stores=frozenset({"memcached"})))
    try:
        engine.up([])
        assert f"{tmp_path}/memcached may not be run by" in engine.store_reasons()["memcached"]
    finally:
        engine.down()


def test_several_labs_at_once() -> None:
    """Two labs with the same deployments on one host do not collide: sockets, names and folders are their own, and so
    is the port of a server that opens its own socket (granian)."""
    names = ("sync-4", "gevent-2", "granian-2x4")
    deployments = [load_all(DEPLOYMENTS, names)[name] for name in names]
    one, other = LocalEngine(COUNTER), LocalEngine(COUNTER)
    try:
        one.up(deployments)
        other.up(deployments)
        assert {one.url(name) for name in names}.isdisjoint({other.url(name) for name in names})
        one.down()
        assert other.url("sync-4")
    finally:
        one.down()
        other.down()


def up_to_the_end_of_its_start(lab: "subprocess.Popen[str]") -> str:
    """What `up` prints until everything is up."""
    assert lab.stdout
    printed = ""
    while "Ctrl-C stops it all" not in printed:
        line = lab.stdout.readline()
        assert line, printed
        printed += line
    return printed


def leads_to(url: str) -> str:
    """Where a page leads; a server that has just started may close its first connections."""
    for _ in range(5):
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return str(answer.url)
        except ConnectionResetError:
            time.sleep(1)
    raise AssertionError(f"{url} resets each connection")


@pytest.mark.parametrize(("number", "some"), [(signal.SIGINT, []), (signal.SIGTERM, ["sync", "gthread"])])
def test_up_stays_until_it_is_stopped(tmp_path: Path, number: int, some: list[str]) -> None:
    """`up` prints every address, stays in the foreground, and ends all of it on Ctrl-C and SIGTERM."""
    names = some or [*load_all(DEPLOYMENTS)]
    port = free_port()
    environment = {**os.environ, REPORTS: str(tmp_path), "COLUMNS": "120", "LAB_PORT": str(port)}
    command = [*COMMAND, "up", "--engine", "local", *(["--deployment", ",".join(some)] if some else [])]
    with staying(command, environment, stderr=subprocess.DEVNULL) as lab:
        printed = up_to_the_end_of_its_start(lab)
        assert all(name in printed for name in [*names, "redis", "memcached", "postgres"])
        assert len(started_for(tmp_path)) > 2 * len(names)
        assert lab.stdout
        assert lab.stdout.readline() == f"the front page: http://127.0.0.1:{port}/\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/lab", timeout=30) as answer:
            assert {each["name"] for each in json.load(answer)["deployments"]} == {*names}
        sync = re.findall(r"^  sync +(\S+)$", printed, re.MULTILINE)[0]
        assert leads_to(f"{sync}/") == f"http://127.0.0.1:{port}/"
        lab.send_signal(number)
        lab.wait(120)
    _, alive = psutil.wait_procs(started_for(tmp_path), timeout=10)
    assert alive == []
    assert lab.returncode == 130


SHOP = """
from flask import Flask

app = Flask(__name__)
forked = []


@app.get("/forked")
def tell():
    return forked


@app.get("/bad")
def bad():
    raise RuntimeError("the till is locked")
"""
CONFIG = """
import os

workers, worker_class, preload_app, errorlog = 9, "gthread", True, "/nowhere/error.log"


def post_fork(server, worker):
    import shop

    shop.forked.append(worker.pid)


def child_exit(server, worker):
    print("child_exit of", worker.pid, flush=True)
"""


def test_up_serves_another_app(tmp_path: Path) -> None:
    """Under the deployments that were picked, with the hooks of its own gunicorn.conf.py; it says where the logs are,
    which stay with the app's traceback, and offers no load that this app could not answer."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "gunicorn.conf.py").write_text(CONFIG)
    environment = {**os.environ, REPORTS: str(tmp_path), "COLUMNS": "40"}
    options = ["--app", "shop:app", "--app-dir", str(tmp_path), "--gunicorn-config", str(tmp_path / "gunicorn.conf.py")]
    command = [*COMMAND, "up", *options, "--deployment", "sync-recycling,sync-4"]
    with staying(command, environment, stderr=subprocess.DEVNULL) as lab:
        printed = up_to_the_end_of_its_start(lab)
        addresses = dict(re.findall(r"^  (\S+) +(http:\S+)$", printed, re.MULTILINE))
        assert [*addresses] == ["sync-recycling", "sync-4"]
        decided = "gunicorn.conf.py: not used, the deployment decides: errorlog, preload_app, worker_class, workers\n"
        assert printed.count(decided) == 1
        with urllib.request.urlopen(f"{addresses['sync-4']}/forked", timeout=10) as answer:
            (worker,) = json.load(answer)
        served = psutil.Process(worker).parent()
        assert served
        deadline = time.monotonic() + 30
        while len(served.children()) < 4 and time.monotonic() < deadline:  # the first answers before the last is forked
            time.sleep(0.05)
        assert len(served.children()) == 4
        with pytest.raises(urllib.error.HTTPError, match="500"):
            urllib.request.urlopen(f"{addresses['sync-4']}/bad", timeout=10)
        # Gunicorn need not tell child_exit of a worker that outlives its own end, so one ends while the server runs.
        os.kill(worker, signal.SIGTERM)
        psutil.wait_procs([one for one in served.children() if one.pid == worker], timeout=30)

        load = subprocess.run(
            [*COMMAND, "load"], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        assert (load.returncode, "would be a 404" in load.stderr) == (2, True)
        assert f"--host {addresses['sync-recycling']}" in load.stderr
        down = subprocess.run([*COMMAND, "down"], env=environment, capture_output=True, text=True, check=True)
        lab.wait(120)
    found = re.search("^logs, which stay: (.*)/$", printed, re.MULTILINE)
    assert found
    assert down.stdout == f"stopped the local lab; its logs stay in {found[1]}\n"
    log = (Path(found[1]) / "sync-4.log").read_text()
    assert 'raise RuntimeError("the till is locked")' in log
    assert f"child_exit of {worker}" in log
    assert "Using worker: sync" in log


@pytest.mark.parametrize(
    ("config", "name", "said"),
    [
        (False, "sync", "{0} is not used; `--gunicorn-config {0}` runs its hooks"),
        (True, "waitress", "{0} is not used: none of these deployments is one of gunicorn"),
    ],
)
def test_a_configuration_of_gunicorn_that_is_not_used(tmp_path: Path, config: bool, name: str, said: str) -> None:
    """That is said, with what would make it used."""
    own = tmp_path / "gunicorn.conf.py"
    own.write_text(CONFIG)
    app = App(name="shop:app", folder=tmp_path, gunicorn_config=own if config else None)
    assert about_gunicorn(app, [load_all(DEPLOYMENTS, [name])[name]], tmp_path) == [said.format(own)]


def test_requests_that_wait_in_a_stalled_server_do_not_stop_the_next() -> None:
    """A restart takes a new socket, so that what was queued in the old one is gone."""
    engine = LocalEngine(COUNTER)
    try:
        engine.up([load_all(DEPLOYMENTS)["gevent"]])
        before = engine.url("gevent")
        started = time.monotonic()
        engine.restart("gevent")
        assert engine.url("gevent") != before
        assert time.monotonic() - started < 60
    finally:
        engine.down()


def test_no_worker_still_starts_after_a_restart() -> None:
    """It would open its connections to the stores while the cell of another deployment counts all there are."""
    engine = LocalEngine()
    try:
        engine.up([load_all(DEPLOYMENTS)["sync-4"]])
        with closing(Client(engine.addresses()["memcached"])) as memcached:
            for _ in range(3):
                engine.restart("sync-4")
                at_once = memcached.stats()[b"curr_connections"]
                time.sleep(1.5)
                assert memcached.stats()[b"curr_connections"] == at_once
    finally:
        engine.down()


def test_a_server_s_connections_send_at_once_what_they_are_given() -> None:
    """Whatever the server sets: else an answer in two packets waits for the client's acknowledgement of the first."""
    with listening() as listener, socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
