"""What a workload needs is found by its name; what is missing of it is named."""

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from statelab.check.judges import judge_of
from statelab.core.errors import BadInput
from statelab.core.paths import LOADTESTS
from statelab.drive.locust import require_load
from statelab.repro import script_of
from webapp.catalogue import WORKLOADS
from workloads import load_of


@pytest.mark.parametrize("workload", WORKLOADS)
def test_every_workload_is_complete(workload: str) -> None:
    """It is loaded, judged and shown on demand."""
    require_load(workload)
    assert callable(load_of(workload).act)
    assert callable(judge_of(workload))
    assert script_of(workload).schedules


@pytest.mark.parametrize(
    ("part", "file"),
    [
        (load_of, "loadtests/new_tickets.py"),
        (require_load, "loadtests/new_tickets.py"),
        (judge_of, "src/statelab/check/judges/new_tickets.py"),
        (script_of, "src/statelab/repro/new_tickets.py"),
    ],
)
def test_a_part_that_is_missing_is_named(part: object, file: str) -> None:
    assert callable(part)
    with pytest.raises(BadInput, match=f"the workload new-tickets is not complete: {file} with .* is missing"):
        part("new-tickets")


def test_a_function_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old_tickets.py").write_text("act = print\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BadInput, match=r"loadtests/old_tickets\.py has no `meaning`"):
        load_of("old-tickets")


class Lab(BaseHTTPRequestHandler):
    """An app with a workload that the load has no file for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        claims = {"shared_across": [], "atomic_across": [], "survives": None}
        tickets = {"promise": "", "operations": {}, "mechanisms": {"m": {"summary": "", "claims": claims}}}
        self.wfile.write(json.dumps({"windows": ["io"], "workloads": {"new-tickets": tickets}}).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.process
def test_the_web_ui_names_what_is_missing() -> None:
    """As `make load` starts it: it ends with the sentence, before it shows a form that does not work."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Lab) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        done = subprocess.run(
            [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "locustfile.py"), "--headless", "-t", "1s"],
            env={**os.environ, "LAB_TARGETS": json.dumps({"lab": url})},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        server.shutdown()
    assert done.returncode != 0
    assert "loadtests/new_tickets.py with `act` and `meaning` is missing" in done.stderr
    assert "Traceback" not in done.stderr
