"""The recording client: stamps each call on one monotonic clock, decides its status, and records it at once."""

import os
import secrets
import socket
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import gevent
import msgspec

from pace import Pace
from statelab.core.access import DIRECT, Access
from statelab.core.ask import BUSY, Ask
from statelab.core.cookies import Jar
from statelab.core.endings import answer_in, in_words, server_in, status_of
from statelab.core.load import Cell
from statelab.core.operation import FIELDS, Operation, encode_line

OF_A_WORKER = 1_000_000
"""The numbers of a worker's clients begin at its own number times this; a master, or a Locust without workers, is 0."""

UNANSWERED = "its worker vanished before it was answered"

NEW_PROCESS = 1000
"""Added to a client's process number after an unknown outcome: the old request may still be running."""


if TYPE_CHECKING:
    from locust.contrib.fasthttp import (
        FastHttpSession,  # not imported at run time by tests, because it patches the whole process
    )


class _Request(msgspec.Struct, frozen=True):
    """A request; `fields` are its fields in the history. For an app other than the lab's own, `ask` says how it is
    asked, and `sent` fills its placeholders."""

    op: str
    key: str
    reads: bool
    fields: dict[str, Any]
    ask: Ask | None = None
    sent: dict[str, str | int] = {}


class Recorder:
    """Writes one JSON line per operation, unbuffered, to one file per Locust process, and gives both to `note`.

    The file is opened at the first write, so that processes forked by `locust --processes` each get their own.
    """

    def __init__(self, folder: Path, note: Callable[[Operation, bytes], None] = lambda operation, line: None) -> None:
        self._folder = folder
        self._note = note
        self._file: tuple[int, Any] | None = None
        self.under_way: dict[int, tuple[int, int, _Request]] = {}
        """The running request of each client: when it started, the client's number, and what is asked."""

    def known_until(self) -> int:
        """Every operation that started before this moment (ns) has been written."""
        return min((start for start, _, _ in self.under_way.values()), default=time.monotonic_ns())

    def unanswered(self) -> list[Operation]:
        """The changes that have been asked for and have no answer so far, as operations of unknown outcome."""
        return [
            Operation(
                process=process, op=request.op, key=request.key, start=start, end=None, status="info",
                error=UNANSWERED, **request.fields,
            )
            for start, process, request in self.under_way.values()
            if not request.reads
        ]  # fmt: skip

    def write(self, operation: Operation) -> None:
        line = encode_line(operation)
        self._note(operation, line)
        pid = os.getpid()
        if self._file is None or self._file[0] != pid:
            self._folder.mkdir(parents=True, exist_ok=True)
            # with the host's name, because containers that share a folder may have the same process ids
            path = self._folder / f"history-{socket.gethostname()}-{pid}.jsonl"
            self._file = (pid, path.open("ab", buffering=0))
        try:
            self._file[1].write(line)
        except OSError as error:
            # Locust would only log an exception and go on, and the history would lack an operation.
            print(f"the history cannot be written to {self._folder}: {error}", file=sys.stderr, flush=True)
            os._exit(74)


@lru_cache(maxsize=1024)
def _query(parameters: tuple[tuple[str, str | int], ...]) -> str:
    """The query string; cached, because most workloads send the same again and again."""
    return urlencode(parameters)


class RecordingClient:
    """One logical client, which does one operation at a time; `process` is its number in the history."""

    cookies: Jar | None = None
    """The browser that sends the requests, if it is not the client's own; clients may share one."""

    token: str | int = ""
    """What another app returned when it last gave a lock, needed to release it; the history does not have it."""

    def __init__(
        self,
        session: "FastHttpSession",
        recorder: Recorder,
        process: int,
        *,
        reuse: bool,
        access: Access = DIRECT,
        pace: Pace | None = None,
    ) -> None:
        self._session = session
        self._access = access
        self._pace = pace or Pace(0, 1)
        self._recorder = recorder
        self.process = process
        self._prefix = secrets.token_hex(4)
        self._count = 0
        self._headers = {**({} if reuse else {"Connection": "close"}), **access.headers()}
        self._cell: Cell | None = None

    @property
    def worker(self) -> int:
        """The number of its worker, 0 if there are none."""
        return self.process // OF_A_WORKER

    def meet(self, cell: Cell) -> None:
        """Begins a cell as a new browser: cookies of the app and of a balancer are kept as long as the cell lasts."""
        if cell is not self._cell:
            self._cell = cell
            self.cookies = None
            self._session.cookiejar.clear()

    def change(self, url: str, op: str, key: str, **parameters: str | int) -> Operation:
        """Performs an operation that changes state, by POST; value (or `times`), expected and op_id are fields of its
        record too."""
        return self._call("POST", f"{url}/{op}", op, {"key": key, **parameters})

    def read(self, url: str, key: str, **parameters: str | int) -> Operation:
        """Performs the read, by GET."""
        return self._call("GET", url, "read", {"key": key, **parameters})

    def ask(self, url: str, op: str, key: str, **parameters: str | int) -> Operation:
        """Performs another operation that only reads, by GET."""
        return self._call("GET", f"{url}/{op}", op, {"key": key, **parameters})

    def _call(self, method: str, url: str, op: str, parameters: dict[str, str | int]) -> Operation:
        self._count += 1
        fields = {name: parameters[name] for name in FIELDS if name in parameters}
        if "times" in parameters:
            fields["value"] = parameters["times"]
        fields.setdefault("op_id", f"{self._prefix}-{self._count}")
        ask = self._cell.asks[op] if self._cell and self._cell.asks else None
        sent = {**parameters, "id": fields["op_id"]}
        request = _Request(op=op, key=str(parameters["key"]), reads=method == "GET", fields=fields, ask=ask, sent=sent)
        asked: dict[str, str] = {}
        if ask and self._cell:
            path, asked, body = ask.fill(sent)
            method, name, target = ask.method, self._cell.url + ask.path, self._cell.url + path
        else:
            name, target, body = url, f"{url}?{_query(tuple(parameters.items()))}", None
        cookies = self.cookies
        brought = cookies.headers() if cookies else {}
        headers = {**self._headers, **brought, **asked, "X-Operation-Id": str(fields["op_id"])}
        self._pace.wait()
        start = time.monotonic_ns()
        self._recorder.under_way[id(self)] = start, self.process, request
        try:
            response = self._session.request(
                method,
                target,
                name=name,
                data=body,  # type: ignore[arg-type]  # bytes are sent as they are
                headers=headers,
                allow_redirects=False,
            )
        except gevent.GreenletExit:
            self._record(request, start, None, "ended by the load")
            raise
        operation = self._record(request, start, response, None)
        if cookies:
            self._session.cookiejar.clear()  # cookies come from the browser, not from the client's own jar
            cookies.take((response.headers and response.headers.get_all("Set-Cookie")) or [])
        return operation

    def _record(self, request: _Request, start: int, response: Any, ended: str | None) -> Operation:
        end = time.monotonic_ns()
        error = getattr(response, "error", None)
        error = getattr(error, "original", None) or error  # geventhttpclient wraps the real error
        code, content = (response.status_code, response.content) if response is not None else (0, b"")
        content = self._access.hidden_in(content or b"")
        if request.ask:
            failure = error if code < 300 else None
            status, result, words = request.ask.outcome(request.sent, code, content, failure)
            if request.ask.means == "lock" and result != BUSY:
                self.token, result = result if isinstance(result, str | int) else "", None
            server = response.headers.get("X-Served-By") if code else None
        else:
            answer = answer_in(code, content)
            status = status_of(code, answer, error, reads=request.reads)
            result = answer.result if answer and status == "ok" else None
            words = None if status == "ok" else in_words(code, content, error)
            server = response.headers.get("X-Served-By") if answer else None
        operation = Operation(
            process=self.process,
            op=request.op,
            key=request.key,
            result=result,
            start=start,
            end=None if status == "info" else end,
            status=status,
            **request.fields,
            served_by=server_in(server),
            error=None if status == "ok" else ended or words,
            timed_out=isinstance(error, TimeoutError),
        )
        self._recorder.write(operation)
        self._recorder.under_way.pop(id(self), None)
        if status == "info":
            self.process += NEW_PROCESS
        return operation
