"""`--confirm`: the stories of findings against real servers."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from small_apps import HEAD, IN_MEMORY, JOBS

from statelab.audit import confirm
from statelab.audit.processes import App
from statelab.audit.run import Asked, perform, story_of
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


KEEPS_SOMETHING_OUTSIDE = """
jobs = []
@app.post("/jobs/<name>")
def make(name):
    jobs.append(name)
    open(os.environ["OUTSIDE"], "a").write("x")
    return "", 201
@app.get("/jobs")
def show():
    return jsonify(jobs) if len(open(os.environ["OUTSIDE"]).read()) == 1 else ("more than once", 500)
def as_at_first():
    open(os.environ["OUTSIDE"], "w").close()
"""


def confirmed(folder: Path, source: str, **how: Any) -> dict[str, str]:
    """By anomaly, what the real servers showed."""
    (folder / "shop.py").write_text(HEAD + source)
    (folder / "story.http").write_text(JOBS)
    story, _ = story_of(folder / "story.http")
    known = load_all(DEPLOYMENTS, ("sync-recycling",))
    found = perform(
        Asked(
            app=App(name="shop:app", folder=folder, python=sys.executable, **how),
            stories=[story],
            deployments={name: known[name] for name in ("dev-processes", "sync-recycling")},
            confirm=frozenset({"dev-processes", "sync-recycling"}),
            jobs=1 if how else 2,  # what lies outside is shared by worlds side by side
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
def test_every_kind_of_server_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Side by side, each with files of its own; httpd serves as another user than root."""
    monkeypatch.setattr(confirm, "LONGEST_S", 120.0)  # chance decides which of its processes is asked
    names = ("uwsgi-4", "granian-2x4", "mod_wsgi-2x4", "mod_wsgi-embedded")
    (tmp_path / "shop.py").write_text(HEAD + IN_MEMORY)
    (tmp_path / "story.http").write_text(JOBS)
    known = load_all(DEPLOYMENTS, names)
    asked = Asked(
        app=App(name="shop:app", folder=tmp_path, python=sys.executable),
        stories=[story_of(tmp_path / "story.http")[0]],
        deployments={name: known[name] for name in names},
        confirm=frozenset(names),
    )
    (shown,) = [finding.confirmed for finding in perform(asked).findings if finding.anomaly == "divergent"]
    assert all(re.search(rf"[1-9]\d* of \d+ under {name}(;|$)", shown) for name in names), shown


@pytest.mark.process
def test_what_a_real_server_never_shows_is_unconfirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "MOST_ROUNDS", 3)
    shown = confirmed(tmp_path, REMEMBERS_ON_REAL_SERVERS)
    assert shown["never-persists"] == "unconfirmed under dev-processes (0 of 3)"
    assert shown["lost-at-restart"] == "unconfirmed under sync-recycling (0 of 3)"


@pytest.mark.process
def test_reset_is_called_before_each_round(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    environment = {"OUTSIDE": str(tmp_path / "outside")}
    shown = confirmed(tmp_path / "shop", KEEPS_SOMETHING_OUTSIDE, environment=environment, reset="shop:as_at_first")
    assert shown["never-persists"] == "3 of 3 under dev-processes"
