"""Deployments get their verdicts by what the theory says of them: whatever is added is asked about, too."""

import sys
from pathlib import Path

import msgspec
import pytest
from small_apps import HEAD, IN_A_FILE, JOBS, LOGIN, USER_IN_SESSION

from statelab.audit import Audit
from statelab.audit.http_file import read
from statelab.audit.processes import App
from statelab.audit.run import Asked, every_deployment, perform
from statelab.core.paths import DEPLOYMENTS


def audited(folder: Path, source: str, story: str) -> Audit:
    (folder / "shop.py").write_text(HEAD + source)
    (folder / "story.http").write_text(story)
    sync = every_deployment()["sync"]
    hosts = msgspec.structs.replace(sync, hosts=2)
    app = App(name="shop:app", folder=folder, python=sys.executable)
    asked = {"sync": sync, "two-hosts": hosts, "sticky": msgspec.structs.replace(hosts, sticky=True)}
    return perform(Asked(app=app, stories=[read(folder / "story.http")], deployments=asked, jobs=1))


@pytest.mark.process
@pytest.mark.parametrize("clients", [1, 2])
def test_a_file_is_on_one_host(clients: int, tmp_path: Path) -> None:
    """A balancer that keeps each client at one host keeps it from seeing so, and not from what others do."""
    found = audited(tmp_path, IN_A_FILE, JOBS if clients == 1 else JOBS.replace("GET", "# @client 2\nGET"))
    (divergent,) = found.findings
    assert divergent.world == "served by two hosts, each with files of its own"
    assert (divergent.expected, divergent.observed) == ('200 ["paint"]', "200 []")
    assert {name: verdict.verdict for name, verdict in found.verdicts.items()} == {
        "sync": "not-seen",
        "two-hosts": "violated",
        "sticky": "not-seen" if clients == 1 else "violated",
    }


@pytest.mark.process
def test_a_cookie_is_on_none(tmp_path: Path) -> None:
    found = audited(tmp_path, USER_IN_SESSION, LOGIN)
    assert found.findings == ()
    assert found.verdicts["two-hosts"].verdict == "not-seen"


def test_every_deployment_of_the_lab_is_asked_about() -> None:
    assert set(every_deployment()) == {path.stem for path in DEPLOYMENTS.rglob("*.env")}
