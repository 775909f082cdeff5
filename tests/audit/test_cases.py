"""Small apps after public reports, each with what is right; where reality differs from a report, the test says why."""

import shutil
from pathlib import Path

import pytest

from statelab.audit import Audit, audit

APPS = Path(__file__).parent / "apps"


def audited(name: str, story: str, folder: Path, jobs: int = 1) -> Audit:
    shutil.copytree(APPS / name, folder / name)
    (folder / name / "story.http").write_text(story)
    return audit("app:app", [folder / name / "story.http"], folder=folder / name, jobs=jobs)


@pytest.mark.process
def test_login_begun_in_one_worker_and_ended_in_another(tmp_path: Path) -> None:
    story = "# @name s\nGET /login/start?user=alice\n###\nGET /login/callback?state={{s.response.body.$.state}}\n"
    found = audited("oauth-state", story, tmp_path)
    divergent = next(finding for finding in found.findings if finding.anomaly == "divergent")
    assert divergent.form == ("GET /login/start", "GET /login/callback")
    assert divergent.places[0].place == "app.pending"
    assert "pending.pop" in divergent.source[0].text
    assert divergent.observed.startswith("400")
    assert found.verdicts["sync-4"].verdict == "violated"
    assert found.verdicts["sync"].verdict == "not-seen"


@pytest.mark.process
def test_accepted_work_is_lost_when_the_worker_is_replaced(tmp_path: Path) -> None:
    found = audited("thread-after-answer", "POST /job/one", tmp_path)
    lost = next(finding for finding in found.findings if finding.anomaly == "lost-at-restart")
    assert lost.rests_on == "files"
    assert "state/done.txt: one" in lost.expected
    assert "unchanged" in lost.observed
    assert found.verdicts["sync-recycling"].verdict == "violated"


@pytest.mark.process
def test_a_thread_of_the_import_runs_in_each_process_that_imports(tmp_path: Path) -> None:
    """`never-ran` is not found here, though a forked worker has no such thread: the process that forked it goes on, and
    its thread writes what it should, once."""
    found = audited("reloader", "GET /", tmp_path, jobs=4)  # each world waits a second for it
    assert [finding.anomaly for finding in found.findings] == ["ran-n-times"]
    assert found.verdicts["sync-4"].anomalies == ("ran-n-times",)
    assert found.verdicts["sync-4-preload"].verdict == "not-seen"


@pytest.mark.process
def test_several_processes_rotate_one_file(tmp_path: Path) -> None:
    story = "\n###\n".join(f"POST /order/{'x' * 1500}{number}" for number in range(2))
    found = audited("rotating-log", story, tmp_path)
    lost = [finding for finding in found.findings if finding.anomaly == "lost-update"]
    assert lost
    assert all(finding.rests_on == "files" for finding in lost)
    assert found.verdicts["sync-4"].verdict == "violated"
    assert found.verdicts["gthread"].verdict == "not-seen"
