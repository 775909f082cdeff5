"""The local engine: what does not come up does not hold the others back, and everything it started ends."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from program import COMMAND
from program import REPORTS
from program import started_for
from statelab.cli.up import about_gunicorn
from statelab.core.errors import Unavailable
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.deployments import load_all

pytestmark = pytest.mark.process


def test_a_deployment_that_does_not_come_up() -> None:
    """Its error holds the last lines of its log; the other deployments answer."""
    good = load_all(DEPLOYMENTS)["sync"]
    bad = replace(good, name="bad", environment=good.environment | {"WORKER_CLASS": "nonsense"})
    engine = LocalEngine()
    try:
        engine.up([good, bad])
        assert engine.url("sync").startswith("http://127.0.0.1:")
        with pytest.raises(Unavailable, match=r"bad did not come up; its log ends with:(.|\n)*nonsense"):
            engine.url("bad")
        assert set(engine.addresses()) == {"redis", "memcached", "postgres", "sync"}
        assert set(engine.reasons()) == {"bad"}
    finally:
        engine.down()


def test_a_store_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store without a program is said to be missing, with how to get it; the others start."""
    monkeypatch.setattr("statelab.deploy.stores.find", lambda *names: None)
    engine = LocalEngine()
    try:
        engine.up([])
        reasons = engine.store_reasons()
        assert "apt-get install memcached" in reasons["memcached"]
        assert "apt-get install postgresql" in reasons["postgres"]
        assert "redis" not in reasons  # the embedded one
    finally:
        engine.down()


def test_several_labs_at_once() -> None:
    """Two labs with the same deployments on one host do not collide: sockets, names and folders are their own."""
    deployments = [load_all(DEPLOYMENTS)[name] for name in ("sync-4", "gevent-2")]
    one, other = LocalEngine(), LocalEngine()
    try:
        one.up(deployments)
        other.up(deployments)
        assert {one.url("sync-4"), one.url("gevent-2")}.isdisjoint({other.url("sync-4"), other.url("gevent-2")})
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_stays_until_it_is_stopped(tmp_path: Path, number: int) -> None:
    """`up` prints every address, stays in the foreground, and ends all of it on Ctrl-C and SIGTERM."""
    environment = {**os.environ, REPORTS: str(tmp_path), "COLUMNS": "120"}
    command = [*COMMAND, "up", "--engine", "local"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as lab:
        printed = up_to_the_end_of_its_start(lab)
        assert all(name in printed for name in [*load_all(DEPLOYMENTS), "redis", "memcached", "postgres"])
        assert len(started_for(tmp_path)) > 20
        lab.send_signal(number)
        lab.wait(30)
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
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as lab:
        printed = up_to_the_end_of_its_start(lab)
        addresses = dict(re.findall(r"^  (\S+) +(http:\S+)$", printed, re.MULTILINE))
        assert [*addresses] == ["sync-recycling", "sync-4"]
        decided = "gunicorn.conf.py: not used, the deployment decides: errorlog, preload_app, worker_class, workers\n"
        assert printed.count(decided) == 1
        with urllib.request.urlopen(f"{addresses['sync-4']}/forked", timeout=10) as answer:
            (worker,) = json.load(answer)
        served = psutil.Process(worker).parent()
        assert served
        assert len(served.children()) == 4
        with pytest.raises(urllib.error.HTTPError, match="500"):
            urllib.request.urlopen(f"{addresses['sync-4']}/bad", timeout=10)

        load = subprocess.run([*COMMAND, "load"], env=environment, capture_output=True, text=True, check=False)
        assert (load.returncode, "would be a 404" in load.stderr) == (2, True)
        assert f"--host {addresses['sync-recycling']}" in load.stderr
        down = subprocess.run([*COMMAND, "down"], env=environment, capture_output=True, text=True, check=True)
        lab.wait(30)
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
    engine = LocalEngine()
    try:
        engine.up([load_all(DEPLOYMENTS)["gevent"]])
        before = engine.url("gevent")
        started = time.monotonic()
        engine.restart("gevent")
        assert engine.url("gevent") != before
        assert time.monotonic() - started < 60
    finally:
        engine.down()
