"""The engine `remote`, on servers that the tests start on this machine: over TLS, under a base path, with a token,
behind a proxy that drops headers, gone in the middle, and not what was expected at all."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from program import Statelab, free_port, results
from statelab.core.paths import SERVICES
from statelab.record import parquet

pytestmark = pytest.mark.process

SECRET = 'Bearer "s3cret\\0f-the-staging"'
TOLD = "s3cret"
"""The part of it that no file and no line may have, however it is written there."""

LAB = """
import os
from webapp import create_app

inner, asked = create_app(), 0

def app(environ, start_response):
    global asked
    given = environ.get("HTTP_X_STAGING", "")
    if given != os.environ["SECRET"]:
        start_response("401 Unauthorized", [("Content-Type", "text/plain")])
        return [b"who are you?"]
    asked += 1
    if asked % 9 == 0 and environ["REQUEST_METHOD"] == "GET" and "/counter/" in environ["PATH_INFO"]:
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [f"you are {'x' * 176}{given}".encode()]
    return inner(environ, start_response)
"""

SHOP = """
import statelab.identity
from shop import app
import shop

@app.post("/reset")
def reset():
    shop.hits = 0
    return "done"

app.wsgi_app = statelab.identity.wrap(app.wsgi_app)
"""

PROMISES = (Path(__file__).parents[1] / "promises" / "shop" / "statelab.toml").read_text()


@contextmanager
def gunicorn(folder: Path, code: str, *options: str, path: Path, **environment: str) -> Iterator[str]:
    """A gunicorn that serves a module `served` with this code; the context gives its host and port."""
    (folder / "served.py").write_text(code)
    state = folder / "state"
    state.mkdir(exist_ok=True)
    address = f"127.0.0.1:{free_port()}"
    with (folder / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "served:app", "--bind", address, "--no-control-socket", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(path), "STATE_DIR": str(state), **environment},
            stdout=log,
            stderr=log,
        )
    try:
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


class Between(ThreadingHTTPServer):
    """A proxy in front of `address`: drops the headers that say who answered, counts requests, and from the `last` one
    on is gone."""

    daemon_threads = True

    def __init__(self, address: str, drops: tuple[str, ...] = (), last: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Pass)
        self.address, self.drops, self.last = address, drops, last
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> "Between":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """A client that has gone is none of its business."""


class _Pass(BaseHTTPRequestHandler):
    server: Between

    def _pass(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        if self.server.last is not None and len(self.server.asked) >= self.server.last:
            self.server.socket.close()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = http.client.HTTPConnection(self.server.address, timeout=10)
        asked.request(self.command, self.path, body, dict(self.headers))
        answer = asked.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name not in (*self.server.drops, "Connection", "Date", "Server", "Content-Length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        asked.close()

    do_GET = do_POST = _pass

    def log_message(self, *_: object) -> None:
        pass


def describe(folder: Path, url: str, text: str = "", **limits: float) -> list[str]:
    """Writes the file of a target; the options that load it."""
    allowed = {"users": 4, "rate": 600, "seconds": 60} | limits
    (folder / "statelab.toml").write_text(
        f'[remote]\nname = "staging"\nurl = "{url}"\nserver = {{ SERVER = "gunicorn", WORKERS = 2 }}\n'
        f"limits = {{ {', '.join(f'{name} = {value}' for name, value in allowed.items())} }}\n{text}"
    )
    return ["run", "--engine", "remote", "--app-dir", str(folder), "--i-may-load", url]


def cells(reports: Path) -> dict[str, Mapping[str, Any]]:
    return {cell["mechanism"]: cell for cell in results(reports)["cells"]}


def signed(folder: Path) -> None:
    """A CA of the test's own, and a certificate by it for 127.0.0.1: ca.pem, key.pem, cert.pem."""
    made = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    authority = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for command in (
        ["req", "-x509", *made, "-subj", "/CN=a CA of a test", "-keyout", "ca.key", "-out", "ca.pem"],
        ["req", *made, "-subj", "/CN=staging", "-keyout", "key.pem", "-out", "asked.csr"],
        ["x509", "-req", "-in", "asked.csr", *authority, "-days", "2", "-extfile", "names", "-out", "cert.pem"],
    ):
        subprocess.run(["openssl", *command], cwd=folder, check=True, capture_output=True)


def test_tls_a_base_path_and_a_token(statelab: Statelab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lab's own app, as predicted. Its token stands nowhere in the run, though the app repeats it in its errors.
    Who does not know the CA, or has another token, measures nothing."""
    signed(tmp_path)
    tls = ["--workers", "2", "--certfile", "cert.pem", "--keyfile", "key.pem"]
    environment = {"SCRIPT_NAME": "/shop", "SECRET": SECRET, "WORKLOADS": "counter", "SERVER": "gunicorn"}
    with gunicorn(tmp_path, LAB, *tls, path=SERVICES, **environment) as address:
        url = f"https://{address}/shop"
        access = 'ca = "ca.pem"\ntoken = { header = "X-Staging", variable = "STAGING_TOKEN" }\n'
        only = ["--workload", "counter", "--mechanism", "module-global,file-flock", "--window", "io"]
        monkeypatch.setenv("STAGING_TOKEN", SECRET)
        done = statelab(*describe(tmp_path, url, access), *only)
        assert done.returncode == 0, done.stdout + done.stderr
        found = cells(tmp_path)
        assert (found["module-global"]["predicted"], found["module-global"]["anomalies"]) == (
            ["divergent"],
            ["divergent"],
        )
        assert found["file-flock"]["verdict"] == "held"
        assert found["file-flock"]["coverage"]["processes"] == 2
        run = (tmp_path / "latest").resolve()
        notes = results(tmp_path)["manifest"]["notes"]
        assert any("the profile asks for 8 clients at once, and statelab.toml allows 4" in note for note in notes)
        assert "statelab.toml allows 4" in (run / "index.html").read_text()
        said = [str(error) for path in run.glob("histories/**/*.parquet") for error in parquet.read(path).errors]
        assert f"HTTP 500: you are {'x' * 176}(hidden)" in said  # though an error is cut after 200 characters
        assert TOLD not in "".join(said)
        files = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".py"]
        assert [path for path in files if TOLD.encode() in path.read_bytes()] == []
        assert TOLD not in done.stdout + done.stderr
        monkeypatch.setenv("STAGING_TOKEN", "Bearer somebody-else")
        refused = statelab(*describe(tmp_path, url, access), *only)
        assert (refused.returncode, f"{url}/catalogue answers HTTP 401" in refused.stderr) == (2, True), refused.stderr
        unknown = statelab(*describe(tmp_path, url), *only)
        assert (unknown.returncode, "CERTIFICATE_VERIFY_FAILED" in unknown.stderr) == (2, True), unknown.stderr
        assert (tmp_path / "latest").resolve() == run


def test_a_proxy_that_drops_who_answered(statelab: Statelab, tmp_path: Path) -> None:
    """A violation is proof all the same; nothing else is known, neither how far it reaches nor who answered. Between
    two cells the app is reset as the file says. Without the proxy the same app says who answers."""
    reset = 'reset = { request = "POST /reset" }\n'
    only = ["--mechanism", "hits,sales"]
    with (
        gunicorn(tmp_path, SHOP, "--workers", "2", path=Path(__file__).parents[1] / "promises" / "shop") as address,
        Between(address, drops=("X-Served-By",)) as proxy,
    ):
        done = statelab(*describe(tmp_path, proxy.url, reset + PROMISES), *only)
        assert done.returncode == 1, done.stdout + done.stderr
        found = cells(tmp_path)
        assert found["hits"]["verdict"] == "violated"
        assert found["hits"]["scope"].startswith("unknown: no answer says who gave it")
        assert found["sales"]["verdict"] == "unknown"
        assert "statelab.identity.wrap(app.wsgi_app)" in found["sales"]["reason"]
        assert not any(cell["coverage"]["known"] for cell in found.values())
        assert "unknown" in done.stdout
        assert proxy.asked.count("POST /reset") == 2  # after the requests were tried, and between the two cells
        direct = statelab(*describe(tmp_path, f"http://{address}", reset + PROMISES), *only)
    assert direct.returncode == 1, direct.stdout + direct.stderr
    found = cells(tmp_path)
    assert "divergent" in found["hits"]["anomalies"]
    assert (found["sales"]["verdict"], found["sales"]["coverage"]["processes"]) == ("held", 2)


def test_a_remote_that_ends_in_the_middle(statelab: Statelab, tmp_path: Path) -> None:
    """The run ends with what was measured; the rest is unavailable, with the reason."""
    with (
        gunicorn(tmp_path, SHOP, "--workers", "2", path=Path(__file__).parents[1] / "promises" / "shop") as address,
        Between(address, last=60) as proxy,  # within the first of three cells
    ):
        done = statelab(*describe(tmp_path, proxy.url, PROMISES))
    assert done.returncode in (1, 3), done.stdout + done.stderr
    found = results(tmp_path)
    measured = [cell for cell in found["cells"] if cell["operations"]]
    rest = [cell for cell in found["cells"] if cell["verdict"] == "unavailable"]
    assert (len(measured), len(rest)) in ((1, 2), (2, 1))  # that nobody answers may be noticed in the second one
    assert all("staging does not answer: " in cell["reason"] for cell in rest)
    assert any("in the middle of the run staging was gone" in note for note in found["manifest"]["notes"])
    assert "staging does not answer: " in (tmp_path / "latest" / "report.md").read_text()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>Welcome</title>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_: object) -> None:
        pass


def test_another_app_that_answers_in_html(statelab: Statelab, tmp_path: Path) -> None:
    """Neither the lab's own app nor one that keeps its promises: refused, and no run is left."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{pages.server_address[1]}"
        own = statelab(*describe(tmp_path, url))
        promised = statelab(*describe(tmp_path, url, PROMISES))
        pages.shutdown()
    assert own.returncode == 2
    assert f"{url}/catalogue answers with text/html, no JSON; the lab's own app answers there" in own.stderr
    assert promised.returncode == 2
    assert "promise.hits.increment: the answer is not JSON: <!doctype html>" in promised.stderr
    assert list(tmp_path.glob("20*")) == []


def test_something_that_speaks_no_http(statelab: Statelab, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as store:

        def serve() -> None:
            with store.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"-ERR unknown command\r\n")

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{store.getsockname()[1]}"
        done = statelab(*describe(tmp_path, url, "wait = 0\n"))
    assert done.returncode == 2
    assert f"staging does not answer: {url}/healthz: it speaks no HTTP: BadStatusLine('-ERR" in done.stderr, done.stderr


def test_nobody_answers(statelab: Statelab, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = statelab(*describe(tmp_path, url, "wait = 0\n"))
    assert (done.returncode, f"staging does not answer: {url}/healthz: " in done.stderr) == (2, True), done.stderr


def test_the_seconds_of_load_are_bounded(statelab: Statelab, tmp_path: Path) -> None:
    """What does not fit in is not measured, and says so."""
    with gunicorn(tmp_path, SHOP, path=Path(__file__).parents[1] / "promises" / "shop") as address:
        done = statelab(*describe(tmp_path, f"http://{address}", PROMISES, seconds=0.01))
    assert done.returncode == 3, done.stdout + done.stderr
    manifest = json.loads((tmp_path / "latest" / "manifest.json").read_text())
    assert len(manifest["measured"]) == 1
    left = [cell for cell in results(tmp_path)["cells"] if cell["operations"] is None]
    assert [cell["reason"] for cell in left] == ["the load may last 0.01 s in all, and has"] * 2


@pytest.mark.parametrize("command", [["up"], ["repro", "--all"]])
def test_other_commands_start_nothing_there(statelab: Statelab, command: list[str]) -> None:
    done = statelab(*command, "--engine", "remote")
    assert (done.returncode, "it is for `statelab run` alone" in done.stderr) == (2, True), done.stderr


def test_options_that_make_no_sense(statelab: Statelab, tmp_path: Path) -> None:
    for options, sentence in (
        (["--engine", "local", "--i-may-load", "http://x"], "--i-may-load is for --engine remote"),
        (["--engine", "remote", "--app", "shop:app"], "what the engine remote loads is served already"),
        (
            [*describe(tmp_path, "http://127.0.0.1:1")[1:], "--deployment", "sync"],
            "no deployment 'sync'; valid are staging",
        ),
    ):
        done = statelab("run", *options)
        assert (done.returncode, sentence in done.stderr) == (2, True), done.stderr
