"""`--confirm`: the stories of findings against real servers."""

import sys
from pathlib import Path

import pytest
from small_apps import HEAD
from small_apps import IN_MEMORY
from small_apps import JOBS

from statelab.audit import confirm
from statelab.audit.processes import App
from statelab.audit.run import Asked
from statelab.audit.run import perform
from statelab.audit.run import story_of
from statelab.core.paths import DEPLOYMENTS
from statelab.plan.deployments import load_all

REMEMBERS_ON_REAL_SERVERS = """
@app.post("/jobs/<name>")
def make(name):
    kept = path("jobs") if request.environ["SERVER_SOFTWARE"] != "statelab" else None
    open(kept, "a").write(name) if kept else jobs.append(name)
    return "", 201
@app.get("/jobs")
def show():
    return open(path("jobs")).read() if os.path.exists(path("jobs")) else "".join(jobs)
jobs = []
"""


def confirmed(folder: Path, source: str) -> dict[str, str]:
    """By anomaly, what the real servers showed."""
    (folder / "shop.py").write_text(HEAD + source)
    (folder / "story.http").write_text(JOBS)
    story, _ = story_of(folder / "story.http")
    known = load_all(DEPLOYMENTS, ("sync-recycling",))
    found = perform(
        Asked(
            app=App(name="shop:app", folder=folder, python=sys.executable),
            stories=[story],
            deployments={name: known[name] for name in ("dev-processes", "sync-recycling")},
            confirm=True,
        )
    )
    assert [path.name for path in folder.iterdir() if path.is_file()] == ["shop.py", "story.http"]
    return {finding.anomaly: finding.confirmed for finding in found.findings if "GET /jobs" in finding.requests}


@pytest.mark.process
def test_a_real_server_shows_it(tmp_path: Path) -> None:
    shown = confirmed(tmp_path, IN_MEMORY)
    assert shown["never-persists"] == "3 of 3 under dev-processes"
    assert shown["lost-at-restart"] == "3 of 3 under sync-recycling"


@pytest.mark.process
def test_what_a_real_server_never_shows_is_unconfirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "MOST_ROUNDS", 3)
    shown = confirmed(tmp_path, REMEMBERS_ON_REAL_SERVERS)
    assert shown["never-persists"] == "unconfirmed under dev-processes (0 of 3)"
    assert shown["lost-at-restart"] == "unconfirmed under sync-recycling (0 of 3)"
