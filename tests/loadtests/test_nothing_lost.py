"""Whatever ends Locust, every operation that the server saw is in a history."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from program import REPORTS
from statelab.core.operation import Operation, read_recording
from statelab.core.paths import LOADTESTS

CATALOGUE = {"windows": ["io"], "workloads": {"counter": {"mechanisms": {"fake": {}}}}}
SERVER = {"host": "h", "pid": 1, "thread": 1, "greenlet": 0, "boot": "b"}


class FakeApp(BaseHTTPRequestHandler):
    """Answers like the app, counts what it was asked, and is slow at times so that some calls are always under way."""

    asked: set[str]
    lock: threading.Lock

    def do_POST(self) -> None:
        with self.lock:
            self.asked.add(self.headers["X-Operation-Id"])
            value = len(self.asked)
        time.sleep(0.05 if value % 10 == 0 else 0.001)
        self._answer({"result": value})

    def do_GET(self) -> None:
        self._answer(CATALOGUE if self.path == "/catalogue" else {"result": len(self.asked)})

    def _answer(self, body: Any) -> None:
        data = json.dumps(body).encode()
        try:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.send_header("X-Served-By", json.dumps(SERVER))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def fake_app() -> Iterator[tuple[str, set[str]]]:
    asked: set[str] = set()
    handler = type("Handler", (FakeApp,), {"asked": asked, "lock": threading.Lock()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def start(url: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(LOADTESTS / "locustfile.py"),
        "--headless",
        "-u",
        "6",
        "-r",
        "6",
    ]
    environment = {**os.environ, "LAB_TARGETS": json.dumps({"fake": url}), REPORTS: str(folder)}
    return subprocess.Popen(
        [*command, "--record", str(folder / "record"), *options],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def recorded(folder: Path) -> list[Operation]:
    return [operation for path in (folder / "record").glob("*.jsonl") for operation in read_recording(path)]


ENDINGS = {
    "by time": (["-t", "3s"], None),
    "SIGTERM": ([], signal.SIGTERM),
    "SIGINT": ([], signal.SIGINT),
    "by time, two processes": (["-t", "3s", "--processes", "2"], None),
    "SIGTERM, two processes": (["--processes", "2"], signal.SIGTERM),
}


@pytest.mark.process
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_operation_is_recorded(ending: str, tmp_path: Path) -> None:
    """Ended by time, SIGTERM or SIGINT, in one process or two: what the server saw is recorded, once, each in turn."""
    options, number = ENDINGS[ending]
    with fake_app() as (url, asked):
        locust = start(url, tmp_path, *options)
        deadline = time.monotonic() + 60
        while len(asked) < 200 and time.monotonic() < deadline:
            time.sleep(0.05)
        if number:
            locust.send_signal(number)
        locust.wait(60)
    operations = recorded(tmp_path)
    increments = [operation for operation in operations if operation.op == "increment"]
    assert len(asked) >= (200 if number else 50)  # in three seconds, on however busy a machine
    assert asked <= {operation.op_id for operation in increments}
    assert len({operation.op_id for operation in operations}) == len(operations)
    _check_one_at_a_time(increments)


@pytest.mark.process
def test_two_side_by_side_keep_to_themselves(tmp_path: Path) -> None:
    """What one of them has forked joins no other."""
    with fake_app() as (left, seen_left), fake_app() as (right, seen_right):
        options = ["-t", "3s", "--processes", "2"]
        both = [start(url, tmp_path / name, *options) for url, name in ((left, "left"), (right, "right"))]
        assert [locust.wait(60) for locust in both] == [0, 0]
    for seen, name in ((seen_left, "left"), (seen_right, "right")):
        changes = {operation.op_id for operation in recorded(tmp_path / name) if operation.op == "increment"}
        assert len(seen) >= 20
        assert changes == seen


def _check_one_at_a_time(operations: list[Operation]) -> None:
    """No logical client starts an operation before its last one ended; after an unknown end it is another client."""
    by_process: dict[int | str, list[Operation]] = {}
    for operation in operations:
        by_process.setdefault(operation.process, []).append(operation)
    for mine in by_process.values():
        mine.sort(key=lambda operation: operation.start)
        for before, after in pairwise(mine):
            assert before.end is not None
            assert before.end <= after.start
