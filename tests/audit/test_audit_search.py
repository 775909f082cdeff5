"""What the search promises: two audits find the same, and no request of a finding's story can be left out."""

import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from small_apps import CHECK_THEN_ACT, HEAD, IN_MEMORY, USER_LEFT_BEHIND

from statelab.audit import Audit
from statelab.audit.http_file import read
from statelab.audit.processes import App
from statelab.audit.run import Asked, every_deployment, perform

IDLE = '\n@app.get("/idle")\ndef idle():\n    return "idle"\n'


@cache
def audited(source: str, story: str, deployments: tuple[str, ...], time: int = 1) -> Audit:
    """An app is audited once, whatever is asked of it afterwards; another `time` audits it again."""
    known = every_deployment()
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "shop.py").write_text(HEAD + source + IDLE)
        (folder / "story.http").write_text(story)
        app = App(name="shop:app", folder=folder, python=sys.executable)
        asked = {name: known[name] for name in deployments or known}
        return perform(Asked(app=app, stories=[read(folder / "story.http")], deployments=asked, jobs=1))


SERIAL = ("sync-4", "dev-processes", "sync-recycling")
"""Deployments that have each what is found in memory; only worlds that one of these has are played."""


@pytest.mark.process
def test_two_audits_find_the_same() -> None:
    one, other = (audited(CHECK_THEN_ACT, "POST /buy", (), time) for time in (1, 2))
    assert one.findings
    assert one.findings == other.findings
    assert one.verdicts == other.verdicts


@pytest.mark.process
@pytest.mark.parametrize(
    ("source", "needed", "anomaly", "under"),
    [
        (IN_MEMORY, ["POST /jobs/paint", "GET /jobs"], "divergent", SERIAL),
        (IN_MEMORY, ["POST /jobs/paint", "GET /jobs"], "never-persists", SERIAL),
        (IN_MEMORY, ["POST /jobs/paint", "GET /jobs"], "lost-at-restart", SERIAL),
        (CHECK_THEN_ACT, ["POST /buy", "POST /buy"], "lost-update", ("gthread",)),
        (USER_LEFT_BEHIND, ["POST /login?name=amber", "GET /me"], "leak-residue", ("sync",)),
    ],
)
def test_no_request_of_a_story_can_be_left_out(
    source: str, needed: list[str], anomaly: str, under: tuple[str, ...]
) -> None:
    requests = list(dict.fromkeys(needed))
    story = "\n###\n".join(["GET /idle", requests[0], "GET /idle", *requests[1:]])
    found = audited(source, story, under)
    stories = [list(map(str, finding.story)) for finding in found.findings if finding.anomaly == anomaly]
    assert needed in stories
    for left_out in requests[:1] if len(requests) == 1 else requests:
        rest = "\n###\n".join(["GET /idle", *(request for request in requests if request != left_out)])
        less = audited(source, rest, under)
        assert needed not in [list(map(str, finding.story)) for finding in less.findings if finding.anomaly == anomaly]
