"""The local engine: what does not come up does not hold the others back, and everything it started ends."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from program import COMMAND
from program import REPORTS
from program import started_for
from statelab.core.errors import Unavailable
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_stays_until_it_is_stopped(tmp_path: Path, number: int) -> None:
    """`up` prints every address, stays in the foreground, and ends all of it on Ctrl-C and SIGTERM."""
    environment = {**os.environ, REPORTS: str(tmp_path), "COLUMNS": "120"}
    command = [*COMMAND, "up", "--engine", "local"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as lab:
        assert lab.stdout
        printed = ""
        while "Ctrl-C stops it all" not in printed:
            line = lab.stdout.readline()
            assert line, printed
            printed += line
        assert all(name in printed for name in [*load_all(DEPLOYMENTS), "redis", "memcached", "postgres"])
        assert len(started_for(tmp_path)) > 20
        lab.send_signal(number)
        lab.wait(30)
    _, alive = psutil.wait_procs(started_for(tmp_path), timeout=10)
    assert alive == []
    assert lab.returncode == 130


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
