"""The front page of a lab that is up: what is up, and the lab's experiment with one button.

Everything is asked of the deployments anew: the page and this server keep no count of their own but what was answered.
A press is one increment on each deployment, or several at once while the button is held; each line of the answer is a
deployment's, as soon as it has it. Only a page of this server may press: `Host` and `Origin` are checked.
"""

import os
import secrets
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from markupsafe import Markup

from statelab.core.cookies import Jar
from statelab.core.errors import BadInput, EngineFailed, Unavailable
from statelab.core.operation import Operation
from statelab.core.paths import DEPLOYMENTS, DOCS, REPORTS, SITE
from statelab.drive.request import Line, Request, path_of, perform_alone
from statelab.plan.catalogue import Catalogue, fetch, group
from statelab.report.formats import docs_page, html
from statelab.report.formats.docs_page import title_of
from statelab.repro.live.prediction import foretell, known_deployment

PAGE = Path(__file__).with_name("front.html")
PORT = 8088
CONSOLE_PORT = 8089
WORKLOAD, FIRST = "counter", "module-global"
ANSWER_S = 3.0
LOOK_S = 2.0
"""How long an answer about what is up is used, before all are asked again."""

MOST_AT_ONCE = 8
PRESSES = 4
"""The most presses that are sent to the deployments at the same time; others wait up to ANSWER_S for their turn."""

TYPES = {".html": "text/html", ".svg": "image/svg+xml", ".json": "application/json", ".css": "text/css"}
TYPES |= {".js": "text/javascript", ".png": "image/png", ".csv": "text/csv"}

_FOLDERS = {"/report/": REPORTS / "latest", "/docs/": DOCS, "/site/": SITE}
"""What is shown besides the front page itself."""


def port() -> int:
    """LAB_PORT; raises BadInput where it is no port."""
    text = os.environ.get("LAB_PORT") or str(PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise BadInput(f"LAB_PORT is {text!r}: it must be a port, 1 to 65535")
    return int(text)


def require_free(number: int) -> None:
    """Raises EngineFailed where somebody else listens on the front page's port."""
    try:
        socket.create_server(("127.0.0.1", number)).close()
    except OSError:
        raise EngineFailed(f"port {number} is taken: end what listens on it, or set LAB_PORT") from None


@dataclass
class Lab:
    """What the page is about. `targets` are the addresses of the deployments, `reasons` what did not start and why;
    `console` is where Locust listens, as (host, port), if not at `web_port` of 127.0.0.1, where a browser finds
    it."""

    targets: Callable[[], Mapping[str, str]]
    reasons: Callable[[], Mapping[str, str]] = dict
    console: tuple[str, int] | None = None
    web_port: int = int(os.environ.get("LAB_WEB_PORT") or CONSOLE_PORT)
    _state: dict[str, Any] = field(default_factory=dict)
    _state_at: float = 0.0
    _catalogue: Catalogue | None = None
    _looking: threading.Lock = field(default_factory=threading.Lock)
    presses: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(PRESSES))

    def catalogue(self) -> Catalogue | None:
        """The app's catalogue, from the first deployment that answers; asked for once."""
        for url in self.targets().values():
            if self._catalogue is not None:
                break
            try:
                self._catalogue = fetch(url, timeout_s=ANSWER_S)
            except Unavailable:
                continue
        return self._catalogue

    def state(self) -> dict[str, Any]:
        """What is up. However many tabs ask, the deployments are asked once in LOOK_S."""
        with self._looking:
            if not self._state or time.monotonic() - self._state_at > LOOK_S:
                self._state, self._state_at = self._look(), time.monotonic()
            return self._state

    def _look(self) -> dict[str, Any]:
        targets, reasons, known = dict(self.targets()), dict(self.reasons()), self.catalogue()
        with ThreadPoolExecutor(max(1, len(targets))) as pool:
            said = dict(zip(targets, pool.map(self._why_down, targets.values()), strict=True))
        deployments = [
            {"name": name, "about": served.description if (served := known_deployment(name)) else "", "down": why}
            for name, why in said.items()
        ]
        stores = known.workloads[WORKLOAD].mechanisms if known and WORKLOAD in known.workloads else {}
        names = dict.fromkeys(about.claims.store for about in stores.values() if about.claims.store)
        up = next((targets[each["name"]] for each in deployments if not each["down"]), None)
        return {
            "deployments": deployments
            + [
                {"name": name, "about": "", "down": why} for name, why in reasons.items() if name not in {*said, *names}
            ],
            "stores": [
                {"name": name, "down": reasons.get(name) or (self._why_store_down(up, name) if up else "nobody to ask")}
                for name in names
            ],
            "mechanisms": [
                {"name": name, "about": about.summary, "group": group(about.claims)} for name, about in stores.items()
            ],
            "windows": known.windows if known else [],
            "first": FIRST,
            "console": f"http://127.0.0.1:{self.web_port}/" if self._console_is_up() else None,
            "report": os.access(REPORTS / "latest" / "index.html", os.R_OK),
            "docs": docs(),
        }

    def _console_is_up(self) -> bool:
        try:
            socket.create_connection(self.console or ("127.0.0.1", self.web_port), timeout=1).close()
        except OSError:
            return False
        return True

    def _why_down(self, url: str) -> str:
        """Why a deployment does not answer; empty if it does."""
        asked = Request(who="front", op="", op_id="front", method="GET", path="/healthz", parameters={"key": ""})
        line = Line(url, ANSWER_S)
        try:
            return "" if line.exchange(asked)[0] == HTTPStatus.OK else "it does not say that it is well"
        except socket.gaierror:
            return "it was not started"
        except Exception as error:
            return f"it does not answer: {error}"
        finally:
            line.close()

    def _why_store_down(self, url: str, store: str) -> str:
        """Why a store does not answer, by a read through a mechanism that keeps its counter there; empty if it does."""
        known = self.catalogue()
        for name, about in (known.workloads[WORKLOAD].mechanisms if known else {}).items():
            if about.claims.store == store:
                read = ask(url, name, "read", f"front-{secrets.token_hex(6)}")
                return "" if read.status == "ok" else about.unavailable or read.error or "it does not answer"
        return ""

    def predicted(self, mechanism: str, window: str) -> dict[str, Any]:
        """The prediction for each deployment; raises BadInput for what the app does not have."""
        known = self.catalogue()
        return {name: foretell(known, WORKLOAD, mechanism, name, window) for name in self.targets()}

    def press(self, mechanism: str, window: str, key: str, times: int) -> Iterator[dict[str, Any]]:
        """One press on every deployment: what each was answered, in the order in which they are ready. Where several
        are sent at once, one read follows. Raises BadInput for what the app does not have."""
        foretell(self.catalogue(), WORKLOAD, mechanism, "", window)
        targets = dict(self.targets())
        with ThreadPoolExecutor(max(1, len(targets))) as pool:
            waiting = {pool.submit(_count, url, mechanism, window, key, times): name for name, url in targets.items()}
            for done in as_completed(waiting):
                yield {"deployment": waiting[done], **done.result()}


def docs() -> list[dict[str, str]]:
    """Name, title and address of each page of the docs. The address is in the built site where there is one."""
    built = (SITE / "index.html").is_file()
    return [
        {
            "name": page.stem,
            "title": title_of(page),
            "address": f"/site/docs/{page.stem}.html" if built else f"/docs/{page.stem}.html",
        }
        for page in sorted(DOCS.glob("*.md"))
    ]


def ask(url: str, mechanism: str, operation: str, key: str, window: str = "call") -> Operation:
    """One operation by a new connection, so that any process may answer."""
    reads = operation == "read"
    request = Request(
        who="front",
        op=operation,
        op_id=f"front-{secrets.token_hex(8)}",
        method="GET" if reads else "POST",
        path=path_of(WORKLOAD, mechanism, operation),
        parameters={"key": key} if reads else {"key": key, "window": window},
        cookies={"Connection": "close"},
    )
    return perform_alone(request, url, ANSWER_S, Jar())


def _count(url: str, mechanism: str, window: str, key: str, times: int) -> dict[str, Any]:
    if times == 1:
        return {"answers": [_told(ask(url, mechanism, "increment", key, window))], "read": None}
    with ThreadPoolExecutor(times) as pool:
        done = list(pool.map(lambda _: ask(url, mechanism, "increment", key, window), range(times)))
    done.sort(key=lambda operation: operation.end or operation.start)
    return {"answers": [_told(each) for each in done], "read": _told(ask(url, mechanism, "read", key))}


def _told(operation: Operation) -> dict[str, Any]:
    server = operation.served_by
    return {
        "status": operation.status,
        "value": operation.result,
        "pid": server.pid if server else None,
        "boot": server.boot if server else None,
        "error": operation.error,
    }


class Refused(Exception):
    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One request. `lab` and `hosts` are given by `_server`."""

    lab: Lab
    hosts: frozenset[str]
    timeout = 10.0
    server_version = "statelab"

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        given = {name: values[-1] for name, values in parse_qs(split.query).items()}
        try:
            self._require_own_page(split.path)
            match self.command, split.path:
                case "GET", "/":
                    self._send(HTTPStatus.OK, "text/html", PAGE.read_bytes())
                case "GET", "/lab":
                    self._send(HTTPStatus.OK, "application/json", msgspec.json.encode(self.lab.state()))
                case "GET", "/predicted":
                    found = self.lab.predicted(given.get("mechanism", ""), given.get("window", "io"))
                    self._send(HTTPStatus.OK, "application/json", msgspec.json.encode(found))
                case "GET", "/play":
                    self._send(HTTPStatus.OK, "text/html", html.play_page("/").encode())
                case "GET", "/finder":
                    self._send(HTTPStatus.OK, "text/html", html.finder_page("/").encode())
                case "GET", "/healthz":
                    self._send(HTTPStatus.OK, "text/plain", b"ok\n")
                case "POST", "/count":
                    self._press(given)
                case "GET", path if path.startswith(tuple(_FOLDERS)):
                    self._file(path)
                case _:
                    raise Refused(HTTPStatus.NOT_FOUND, f"there is no {split.path} here; the front page is /")
        except Refused as refused:
            self._send(refused.status, "text/plain", f"{refused}\n".encode())
        except BadInput as error:
            self._send(HTTPStatus.BAD_REQUEST, "text/plain", f"{error}\n".encode())
        except (ConnectionError, TimeoutError):
            pass  # the browser has gone away

    do_POST = do_GET

    def _require_own_page(self, path: str) -> None:
        """Another site may make a browser send a request here, but not with our address in these two headers."""
        if path == "/healthz":
            return
        if self.headers.get("Host") not in self.hosts:
            raise Refused(HTTPStatus.FORBIDDEN, f"this page is at http://{min(self.hosts)}/ only")
        if self.command == "POST" and self.headers.get("Origin") != f"http://{self.headers['Host']}":
            raise Refused(HTTPStatus.FORBIDDEN, "only the front page itself may press the button")

    def _send(self, status: HTTPStatus, kind: str, body: bytes | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")  # nobody's page around the button
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body is not None:
            self.wfile.write(body)

    def _press(self, given: dict[str, str]) -> None:
        times, key = given.get("times", "1"), given.get("key", "")
        if not times.isdecimal() or not 1 <= int(times) <= MOST_AT_ONCE:
            raise BadInput(f"times is {times!r}: it must be 1 to {MOST_AT_ONCE}")
        if not key.startswith("front-") or len(key) > 40:
            raise BadInput("the key of a page begins with front-")
        if not self.lab.presses.acquire(timeout=ANSWER_S):
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many press at once; try again")
        try:
            answers = self.lab.press(given.get("mechanism", ""), given.get("window", "io"), key, int(times))
            first = [*islice(answers, 1)]  # what is refused is refused before there is an answer
            self._send(HTTPStatus.OK, "application/x-ndjson", None)
            for answer in chain(first, answers):
                self.wfile.write(msgspec.json.encode(answer) + b"\n")
        finally:
            self.lab.presses.release()

    def _file(self, path: str) -> None:
        """A file of the last report, of the docs or of the site that was built of them, and of nothing else."""
        _, name, rest = path.split("/", 2)
        folder = _FOLDERS[f"/{name}/"].resolve()
        found = (folder / (rest or "index.html")).resolve()
        if name == "docs" and found.suffix in (".html", ".md"):  # a page, which is written as Markdown, or all titles
            page = found.with_suffix(".md")
            if page == folder / "index.md":
                links = (Markup('<li><a href="{address}">{title}</a></li>').format(**each) for each in docs())
                listed = Markup("<h2>The docs</h2><ul>{}</ul>").format(Markup("").join(links))
                text = html.alone("the docs", listed, "/")
            elif page.parent == folder and page.is_file():
                text = docs_page.render(page, "/")
            else:
                raise Refused(HTTPStatus.NOT_FOUND, "there is no such page of the docs; /docs/ names all")
            self._send(HTTPStatus.OK, "text/html", text.encode())
            return
        if not found.is_relative_to(folder) or not os.access(found, os.R_OK) or not found.is_file():
            raise Refused(HTTPStatus.NOT_FOUND, "there is no such file to be read; `make report` writes a report")
        self._send(HTTPStatus.OK, TYPES.get(found.suffix, "text/plain"), found.read_bytes())

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what is asked of the deployments is in their logs."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is nothing to report; anything else is."""
        if not isinstance(sys.exception(), ConnectionError):
            traceback.print_exc()


def _server(address: tuple[str, int], public: int, lab: Lab) -> _Server:
    hosts = frozenset(f"{name}:{public}" for name in ("127.0.0.1", "localhost"))
    return _Server(address, type("Handler", (_Handler,), {"lab": lab, "hosts": hosts}))


@contextmanager
def serving(number: int, lab: Lab) -> Iterator[str]:
    """Serves the front page on 127.0.0.1 in this process until the context ends; yields its address. Raises
    EngineFailed where the port is taken."""
    require_free(number)
    server = _server(("127.0.0.1", number), number, lab)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{number}/"
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    """In a container: the deployments have their own names there, and another port leads here."""
    targets = {path.stem: f"http://{path.stem}:8000" for path in sorted(DEPLOYMENTS.glob("*.env"))}
    lab = Lab(lambda: targets, dict, ("locust", CONSOLE_PORT))
    _server(("0.0.0.0", PORT), port(), lab).serve_forever()


if __name__ == "__main__":
    main()
