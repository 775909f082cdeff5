"""A plugin of pytest that makes other processes serve the requests that a test sends through its client.

Werkzeug's test client, and with it Flask's and every subclass, hands each request to `werkzeug.test.run_wsgi_app`.
While a test is called, these requests go to servers instead. The servers are forks of the test's process, made when the
test sends its first request: they have everything that the fixtures made, and no effect of a request. A `Way` says
which server gets which request. `main` runs a whole suite in one way, by a plan in JSON; for each test it writes a line
of JSON to the plan's file `out`.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import json
import os
import pickle
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from . import places
from .fence import Fence
from .tracer import Tracer

GRACE_S = 3.0
"""Seconds that a replaced server has for its threads to end."""
CONTEXTS = ("werkzeug.debug.preserve_context", "flask._preserve_context")
"""Set by Flask's client inside of `with client:`, whose body may read `session` and `g` of the request."""
ONLY_HERE = ("wsgi.input", "wsgi.errors", "werkzeug.", "flask.")
"""Prefixes of keys in `environ` that are only for the process that made it; a real server would not receive them."""


class Way:
    """Names the server that gets the request with a given index; `test` is the test's own process.

    `alone`: the test's process serves all. `moved`: one other process serves all. `alternating`: two take turns.
    `split`: the second of two serves from request `at` on, counted from the end if it is negative. `only`: the second
    serves request `at` alone. `each`: a new process serves each request, after the one before it has ended. `stays` are
    the requests that the test's own process has to serve.
    """

    def __init__(self, name: str, at: int = 1, requests: int = 0, stays: tuple[int, ...] = ()) -> None:
        self.name = name
        self._at = at if at >= 0 else max(1, requests + at)
        self.stays = stays

    def server(self, index: int) -> str:
        if self.name == "alone" or index in self.stays:
            return "test"
        if self.name == "each":
            return f"process {index + 1}"
        other = {
            "moved": False,
            "alternating": index % 2 == 1,
            "split": index >= self._at,
            "only": index == self._at,
        }[self.name]
        return "process 2" if other else "process 1"

    @property
    def begins_with(self) -> tuple[str, ...]:
        """Servers that exist from the first request on."""
        return () if self.name in ("alone", "each") else ("process 1", "process 2")


class Server:
    """A fork of this process that serves one app until it is ended."""

    def __init__(self, app: Any, limit_s: float, others: list[Server]) -> None:
        self._socket, theirs = socket.socketpair()
        self.pid = os.fork()
        if not self.pid:
            try:
                self._socket.close()
                for other in others:  # otherwise this fork would keep their channels open
                    other._socket.close()
                _obey(theirs, app)
            finally:
                os._exit(0)
        theirs.close()
        self._socket.settimeout(limit_s)
        self._file = self._socket.makefile("rwb")

    def ask(self, environ: dict[str, Any], body: bytes, look: list[str] | None) -> dict[str, Any]:
        try:
            pickle.dump((environ, body, look), self._file)
            self._file.flush()
            said: dict[str, Any] = pickle.load(self._file)
            return said
        except EOFError:
            raise RuntimeError("the process that serves ended: " + self.end()) from None
        except OSError as error:
            raise RuntimeError(f"the process that serves does not answer: {error}") from None

    def end(self) -> str:
        """Ends the server as a replaced worker ends. Returns in words how it ended."""
        for channel in (self._file, self._socket):
            try:
                channel.close()
            except OSError:
                pass
        deadline = time.monotonic() + GRACE_S + 1
        while time.monotonic() < deadline:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "by itself"
            time.sleep(0.001)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return "killed"


def _obey(channel: socket.socket, app: Any) -> None:
    """In the fork: serves the requests. At the end it waits for its threads, except daemons, as an interpreter does."""
    from werkzeug.test import run_wsgi_app

    run = getattr(run_wsgi_app, "__wrapped__", run_wsgi_app)
    known = set(threading.enumerate())
    file = channel.makefile("rwb")
    while True:
        try:
            environ, body, look = pickle.load(file)
        except (EOFError, OSError):
            break
        pickle.dump(_served(run, app, environ, body, look), file)
        file.flush()
    deadline = time.monotonic() + GRACE_S
    for thread in set(threading.enumerate()) - known:
        if not thread.daemon:
            thread.join(max(0.0, deadline - time.monotonic()))


def _served(run: Any, app: Any, environ: dict[str, Any], body: bytes, look: list[str] | None) -> dict[str, Any]:
    """`answer` (body, status and headers), or `error` (what the app raised). With `look` (roots of the app's code),
    also `steps`, and `places` as they are after each of two requests for an address that no app has, and then after
    the request itself."""
    looks = []

    def serve(environ: dict[str, Any]) -> dict[str, Any]:
        try:
            chunks, status, headers = run(app, environ, buffered=True)
            return {"answer": (b"".join(chunks), status, list(headers))}
        except Exception as error:
            try:
                pickle.loads(pickle.dumps(error))
            except Exception:
                error = RuntimeError(f"{type(error).__name__}: {error}")
            return {"error": error}

    def see() -> None:
        package = str(getattr(app, "import_name", "")).split(".")[0]
        looks.append(places.look([package], app, []))

    full = {**environ, "wsgi.errors": sys.stderr, "wsgi.input": io.BytesIO(body)}
    if look is None:
        return serve(full)
    for _ in range(2):
        empty = {"PATH_INFO": "/statelab-warms-up", "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
        serve({**full, **empty, "CONTENT_LENGTH": "0"})
        see()
    tracer = Tracer(look, (), lambda step: None)
    with tracer:
        said = serve(full)
    see()
    return {**said, "steps": tracer.steps, "places": looks}


class Requests:
    """The requests of one test, in order, each sent to the server that its way names; `sent` records them."""

    def __init__(self, way: Way, *, drop: bool, limit_s: float, looks: dict[int, list[str]]) -> None:
        self._way = way
        self._drop = drop
        self._limit_s = limit_s
        self._looks = looks
        self._servers: dict[tuple[int, str], Server] = {}
        self._apps: list[Any] = []  # kept, so that no two have the same id
        self.sent: list[dict[str, Any]] = []

    def run(self, run: Any, app: Any, environ: Any, buffered: bool) -> Any:
        environ = dict(getattr(environ, "environ", environ))
        index, kept = len(self.sent), any(environ.get(name) for name in CONTEXTS)
        body = environ["wsgi.input"].read() if environ.get("wsgi.input") else b""
        environ["wsgi.input"] = io.BytesIO(body)
        record = {**_request(app, environ, body), "keeps": kept, "at": self._way.server(index), "status": "no answer"}
        self.sent.append(record)
        portable = {key: value for key, value in environ.items() if not key.startswith(ONLY_HERE)}
        try:
            pickle.dumps(portable)
        except Exception:
            record["at"], record["odd"] = "test", True
        if record["at"] == "test":
            if kept and self._drop and index not in self._way.stays:
                for name in CONTEXTS:
                    environ.pop(name, None)
            answer = run(app, environ, buffered=buffered)
        else:
            said = self._server(app, record["at"]).ask(portable, body, self._looks.get(index))
            record.update({key: said[key] for key in ("steps", "places") if key in said})
            if "error" in said:
                record["status"] = type(said["error"]).__name__
                raise said["error"]
            chunk, status, headers = said["answer"]
            answer = [chunk], status, importlib.import_module("werkzeug.datastructures").Headers(headers)
        record["status"] = answer[1].partition(" ")[0]
        return answer

    def _server(self, app: Any, name: str) -> Server:
        if not any(app is known for known in self._apps):
            self._apps.append(app)
            for first in self._way.begins_with:
                self._fork(app, first)
        if self._way.name == "each":
            self.end()
        return self._servers.get((id(app), name)) or self._fork(app, name)

    def _fork(self, app: Any, name: str) -> Server:
        server = Server(app, self._limit_s, list(self._servers.values()))
        self._servers[id(app), name] = server
        return server

    def end(self) -> None:
        while self._servers:
            self._servers.popitem()[1].end()


def _request(app: Any, environ: dict[str, Any], body: bytes) -> dict[str, Any]:
    query = environ.get("QUERY_STRING")
    try:
        rule = app.url_map.bind_to_environ(environ).match(return_rule=True)[0].rule
    except Exception:  # no such page, a redirect to it, or no Flask
        rule = environ.get("PATH_INFO", "/")
    headers = [["Content-Type", environ["CONTENT_TYPE"]]] if environ.get("CONTENT_TYPE") else []
    return {
        "method": environ.get("REQUEST_METHOD", "GET"),
        "target": environ.get("PATH_INFO", "/") + ("?" + query if query else ""),
        "rule": rule,
        "headers": headers,
        "body": body.decode("latin-1"),
    }


class Client:
    """Replaces the function through which Werkzeug's client calls the app. While no test runs, the app is called as
    usual.

    `memory`: whether an SQLite database in memory was opened. Only one process has such a database, and a suite often
    uses it in place of a file.
    """

    def __init__(self) -> None:
        self.memory = False
        sys.addaudithook(self._seen)
        self._requests: Requests | None = None
        testing: Any = importlib.import_module("werkzeug.test")
        usual = testing.run_wsgi_app

        def run_wsgi_app(app: Any, environ: Any, buffered: bool = False) -> Any:
            if self._requests is None or os.getpid() != here:
                return usual(app, environ, buffered=buffered)
            return self._requests.run(usual, app, environ, buffered)

        here = os.getpid()
        run_wsgi_app.__wrapped__ = usual  # type: ignore[attr-defined]
        testing.run_wsgi_app = run_wsgi_app

    def _seen(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "sqlite3.connect" and type(arguments[0]) is str:
            name = arguments[0]
            self.memory = self.memory or not name or ":memory:" in name or "mode=memory" in name

    @contextmanager
    def sends(self, requests: Requests) -> Iterator[None]:
        """Inside of the `with` block, requests go to `requests`; after it, all servers have ended."""
        self._requests = requests
        try:
            yield
        finally:
            self._requests = None
            requests.end()


def crash(report: Any, folder: str) -> dict[str, Any]:
    """Where a test failed, in its own words."""
    found = getattr(report.longrepr, "reprcrash", None)
    if found is None:
        return {"message": str(report.longrepr).strip().splitlines()[-1], "file": "", "line": 0}
    entry = report.longrepr.reprtraceback.reprentries[0]
    place = getattr(entry, "reprfileloc", None) or found
    path = os.path.join(folder, place.path)
    return {
        "message": str(found.message).strip().splitlines()[0],
        "file": os.path.relpath(path, folder) if path.startswith(folder) else path,
        "line": place.lineno,
    }


class Plugin:
    """One run of a suite in one way; see the plan's keys in `main`."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._client = Client()
        self._out = open(plan["out"], "w")  # noqa: SIM115
        self._sent: list[dict[str, Any]] = []

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        if self._plan["only"]:
            items[:] = [item for item in items if item.nodeid in self._plan["only"]]

    def pytest_runtest_logstart(self) -> None:
        self._sent = []

    @pytest.hookimpl(hookwrapper=True)  # the form that old versions also know
    def pytest_runtest_call(self, item: Any) -> Iterator[None]:
        plan, name = self._plan, item.nodeid
        way = Way(plan["way"], plan["at"], plan["counts"].get(name, 0), tuple(plan["stays"].get(name, ())))
        looks = dict.fromkeys(plan["looks"], plan["roots"])
        requests = Requests(way, drop=plan["drop"], limit_s=plan["limit_s"], looks=looks)
        self._sent = requests.sent
        with self._client.sends(requests):
            yield

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" or report.outcome != "passed":
            said = {
                "test": report.nodeid,
                "outcome": "skipped" if hasattr(report, "wasxfail") else report.outcome,
                "requests": self._sent,
                "failure": crash(report, self._plan["folder"]) if report.outcome == "failed" else None,
                "memory": self._client.memory,
            }
            self._out.write(json.dumps(said) + "\n")
            self._out.flush()


def main(arguments: list[str]) -> None:
    """Runs the suite by a plan, a file of JSON with these keys.

    `way`, `at`: see Way. `stays`, `counts`: for each test, the requests that stay, and how many requests it sends.
    `drop`: whether the contexts of the other requests are dropped. `looks`: the requests whose places and steps are
    recorded. `only`: the tests to run (empty: all). `limit_s`: the time limit of each request. `folder`, `inside`,
    `protected`, `allowed`, `path`, `roots`: as for a world. `out`: the file for the results.
    """
    with open(arguments[0]) as file:
        plan = json.load(file)
    sys.path[:0] = plan["path"]
    fence = Fence(plan["protected"], plan["allowed"], plan["inside"])
    fence.up()
    usual = ["-p", "no:cacheprovider"]
    for plugin, off in (("xdist", ["-n0"]), ("pytest_cov", ["--no-cov"]), ("pytest_randomly", ["-p", "no:randomly"])):
        if importlib.util.find_spec(plugin) is not None:
            usual += off
    code = int(pytest.main([*usual, *arguments[1:]], plugins=[Plugin(plan)]))
    with open(plan["out"] + ".end", "w") as file:
        json.dump({"code": code, "blocked": fence.blocked}, file)
    sys.stdout.flush()
    os._exit(0)  # threads that tests left are not waited for
