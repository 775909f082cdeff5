"""The table of endings in docs/histories.md, provoked row by row on a real connection, for every client of the lab."""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from statelab.core.cookies import Jar
from statelab.core.endings import REFUSALS
from statelab.core.operation import decode_lines
from statelab.core.paths import LOADTESTS, ROOT
from statelab.drive.request import Line, Request, perform

LIMIT_S = 0.3

TABLE = re.findall(
    r"^\| (.*?) \| `(ok|fail|info)` \| `(ok|fail|info)` \|$", (ROOT / "docs/histories.md").read_text(), re.MULTILINE
)

RESULT = b'{"result": 1}'

PATHS = {
    "a 2xx with a result": ["200", "201"],
    "a 2xx without a result, or one that breaks off": ["200-empty", "200-text", "200-other", "200-cut"],
    "400, 401, 403, 404, 405, 409, 422 or 501: the app refuses before it changes anything": [*map(str, REFUSALS)],
    "any other status, such as 302, 429, 500 or 503": ["302", "408", "418", "429", "500", "502", "503", "504"],
    "nothing, the connection was refused: nothing was sent": ["refused"],
    "nothing, the connection broke": ["broken"],
    "nothing within the time limit": ["silent"],
}
"""By the row of the table: what the server of this test is asked for, one path for each way to get there."""

BY_LOCUST = """
import sys
from pathlib import Path
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook
from recording import Recorder, RecordingClient

limit, folder, *urls = sys.argv[1:]
for number, url in enumerate(urls):
    session = FastHttpSession(url, EventHook(), None, network_timeout=float(limit), connection_timeout=float(limit))
    client = RecordingClient(session, Recorder(Path(folder)), number, reuse=False)
    client.change(url, "post", key="k")
    client.ask(url, "get", key="k")
print(next(Path(folder).iterdir()).read_text())
"""


class Server(BaseHTTPRequestHandler):
    """Ends a request as its path says."""

    def do_POST(self) -> None:
        self.end(self.path.split("/")[1])

    do_GET = do_POST

    def end(self, way: str) -> None:
        if way == "silent":
            time.sleep(2 * LIMIT_S)
        if way in ("silent", "broken"):
            return
        code, _, kind = way.partition("-")
        body = {"empty": b"", "text": b"fine", "other": b'{"answer": 1}'}.get(kind, RESULT)
        self.send_response(int(code))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:-1] if kind == "cut" else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """For each path the address of who ends a request in this way."""
    with socket.socket() as nobody, ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        nobody.bind(("127.0.0.1", 0))  # and does not listen, so it refuses
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        ports = {"refused": nobody.getsockname()[1]}
        try:
            yield {
                way: f"http://127.0.0.1:{ports.get(way, server.server_address[1])}/{way}"
                for ways in PATHS.values()
                for way in ways
            }
        finally:
            server.shutdown()
            thread.join()


def expected() -> dict[tuple[str, str], str]:
    return {
        (way, method): status
        for row, *both in TABLE
        for way in PATHS[row]
        for method, status in zip(("post", "get"), both, strict=True)
    }


def test_every_row_of_the_table_is_tried() -> None:
    """A row that is added, or worded anew, needs somebody who provokes it."""
    assert [row for row, *_ in TABLE] == list(PATHS)
    assert re.findall(r"\d{3}", list(PATHS)[2]) == list(map(str, sorted(REFUSALS)))


def test_the_clients_of_repro_and_survive_follow_the_table() -> None:
    found = {}
    with addresses() as urls:
        for way, url in urls.items():
            for op in ("post", "get"):
                line = Line(url, LIMIT_S)
                request = Request(
                    who="A", op=op, op_id="1", method=op.upper(), path=f"/{way}/{op}", parameters={"key": "k"}
                )
                operation = perform(request, line, Jar())
                line.close()
                found[way, op] = operation.status
                assert operation.timed_out is (way == "silent")
                assert (operation.end is None) is (operation.status == "info")
                assert (operation.result is None) is (operation.error is not None) is (operation.status != "ok")
    assert found == expected()


@pytest.mark.process
def test_the_clients_of_locust_follow_the_table(tmp_path: Path) -> None:
    with addresses() as urls:
        done = subprocess.run(
            [sys.executable, "-c", BY_LOCUST, str(LIMIT_S), str(tmp_path), *urls.values()],
            cwd=LOADTESTS,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    operations = list(decode_lines(done.stdout.encode().splitlines()))
    ways = [way for way in urls for _ in range(2)]
    assert {
        (way, operation.op): operation.status for way, operation in zip(ways, operations, strict=True)
    } == expected()
    assert {way for way, operation in zip(ways, operations, strict=True) if operation.timed_out} == {"silent"}
