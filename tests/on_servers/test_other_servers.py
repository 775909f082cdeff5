"""The servers that are not in the standard columns, each started once, with mechanisms that tell them apart.
(`make report PROFILE=servers` measures one mechanism of each kind.)"""

import itertools
import os
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import psutil
import pytest

from program import COMMAND, REPORTS, Statelab, free_port, measured, started_for, staying
from statelab.plan.profiles import SERVERS

CONTEXT, AT_IMPORT, THREAD, SEED = (
    "context-var",
    "flask-g-lasting-context",
    "apscheduler-add-job",
    "random-seeded-at-import",
)
APART = {CONTEXT: ["leak-residue"], AT_IMPORT: [], THREAD: [], SEED: []}
FORKED = APART | {AT_IMPORT: ["leak-residue"], THREAD: ["never-ran"], SEED: ["duplicate-id"]}
SHOWS = {
    "uwsgi-4": FORKED,
    "uwsgi-threads": FORKED,
    "uwsgi-gevent": APART | {CONTEXT: []},
    "gevent-pywsgi": APART | {CONTEXT: []},
    "granian-2x4": APART,
    "uvicorn-2": APART | {CONTEXT: [], AT_IMPORT: ["leak-overlap", "leak-residue"]},
    "mod_wsgi-2x4": APART,
    "mod_wsgi-embedded": APART,
}
"""By deployment, what each mechanism shows there. uWSGI forks after the import unless told otherwise, and its first
thread is the one that imported the app. A thread that gevent made is a greenlet, of which a fork has a copy. a2wsgi
gives each request a copy of the context."""


LACKING = "mod_wsgi"
"""Whose deployments alone may be missing; the reason is that of this server."""


@pytest.mark.process
@pytest.mark.timeout(600)
def test_other_servers_show_what_is_predicted(statelab: Statelab, tmp_path: Path) -> None:
    """Where httpd and mod_wsgi cannot be had, their cells say so, with how to get them."""
    expected = {(name, deployment): told[name] for deployment, told in SHOWS.items() for name in told}
    options = ["--profile", "servers", "--workload", "unique-id,request-scope,once"]
    options += ["--deployment", ",".join(SHOWS), "--mechanism", ",".join(APART)]
    cells = measured(partial(statelab, timeout=500), tmp_path, *options, shows=expected)
    reasons = {place: cell["reason"] for place, cell in cells.items() if cell["verdict"] == "unavailable"}
    assert [
        reason for (_, where), reason in reasons.items() if f"{LACKING}: " not in reason or LACKING not in where
    ] == []
    seen = {place: sorted(cells[place]["anomalies"]) for place in expected if place not in reasons}
    assert seen == {place: sorted(expected[place]) for place in seen}
    assert all(cells[place]["verdict"] in ("held", "violated") for place in seen)
    assert [place for place in seen if set(cells[place]["anomalies"]) - set(cells[place]["predicted"])] == []


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_any_of_them(number: int, tmp_path: Path) -> None:
    """No child of uWSGI or httpd, no socket, no pid file, whether the lab ends or is killed."""
    with tempfile.TemporaryDirectory(dir="/tmp") as everything:  # a socket's path is short
        environment = {**os.environ, REPORTS: str(tmp_path), "TMPDIR": everything, "LAB_PORT": str(free_port())}
        command = [*COMMAND, "up", "--engine", "local", "--deployment", ",".join(SERVERS)]
        with staying(command, environment, stderr=subprocess.DEVNULL) as lab:
            assert lab.stdout
            up = any("Ctrl-C stops it all" in line for line in iter(lab.stdout.readline, ""))
            started, sockets = started_for(tmp_path), [*Path(everything).rglob("*.sock")]
            lines = [each.info["cmdline"] or [] for each in psutil.process_iter(["cmdline"]) if each in started]
            commands = " ".join(itertools.chain.from_iterable(lines))
            lab.send_signal(number)
            lab.wait(60)
        assert up
        assert sockets
        assert "pyuwsgi" in commands
        assert "granian" in commands
        _, alive = psutil.wait_procs(started, timeout=60)
        assert alive == []
        assert started_for(tmp_path) == []
        assert [*Path(everything).iterdir()] == []
