"""The recording client: stamps each call on one monotonic clock, sorts its ending, and writes it down at once."""

import os
import secrets
import sys
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any
from typing import Protocol
from urllib.parse import urlencode

import gevent
import msgspec
from locust.contrib.fasthttp import FastHttpSession

from endings import sort_ending
from statelab.core.operation import Operation
from statelab.core.operation import Result
from statelab.core.operation import ServedBy
from statelab.core.operation import encode_line

NEW_PROCESS = 1000
"""Added to a client's process number after an unknown outcome: the old request may still be running."""


class Body(msgspec.Struct):
    result: Result


class Cookies(Protocol):
    """What a browser keeps, and what its requests bring along."""

    def headers(self) -> dict[str, str]: ...

    def take(self, set_cookies: list[str]) -> None: ...


FIELDS = ("value", "expected", "op_id")
"""Parameters that a history has fields for."""


_body = msgspec.json.Decoder(Body)
_server = msgspec.json.Decoder(ServedBy)


class Recorder:
    """Writes one JSON line per operation, unbuffered, to one file per Locust process, and tells `note` of it.

    The file is opened at the first write, so that processes forked by `locust --processes` each get their own.
    """

    def __init__(self, folder: Path, note: Callable[[Operation], None] = lambda operation: None) -> None:
        self._folder = folder
        self._note = note
        self._file: tuple[int, Any] | None = None

    def write(self, operation: Operation) -> None:
        self._note(operation)
        pid = os.getpid()
        if self._file is None or self._file[0] != pid:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = (pid, (self._folder / f"history-{pid}.jsonl").open("ab", buffering=0))
        try:
            self._file[1].write(encode_line(operation))
        except OSError as error:
            # a listener's or a task's exception is only logged by Locust; a history with a hole must not go on
            print(f"the history cannot be written to {self._folder}: {error}", file=sys.stderr, flush=True)
            os._exit(74)


def _decode(decoder: Any, data: Any) -> Any:
    try:
        return decoder.decode(data) if data else None
    except msgspec.MsgspecError:
        return None


class _Request(msgspec.Struct, frozen=True):
    """What is asked; `fields` are those of the history that belong to the request."""

    op: str
    key: str
    reads: bool
    fields: dict[str, Any]


@lru_cache(maxsize=1024)
def _query(parameters: tuple[tuple[str, str | int], ...]) -> str:
    """The query string; most workloads ask the same over and over."""
    return urlencode(parameters)


class RecordingClient:
    """One logical client, which does one operation at a time; `process` is its number in the history."""

    cookies: Cookies | None = None
    """The browser that the requests come from, where it is not the client's own; clients may share one."""

    def __init__(self, session: FastHttpSession, recorder: Recorder, process: int, *, reuse: bool) -> None:
        self._session = session
        self._recorder = recorder
        self.process = process
        self._prefix = secrets.token_hex(4)
        self._count = 0
        self._headers = {} if reuse else {"Connection": "close"}

    def change(self, url: str, op: str, key: str, **parameters: str | int) -> Operation:
        """Performs an operation that changes state, by POST; value, expected and op_id are fields of its record too."""
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
        fields.setdefault("op_id", f"{self._prefix}-{self._count}")
        request = _Request(op=op, key=str(parameters["key"]), reads=method == "GET", fields=fields)
        cookies = self.cookies
        brought = cookies.headers() if cookies else {}
        headers = {**self._headers, **brought, "X-Operation-Id": str(fields["op_id"])}
        start = time.monotonic_ns()
        try:
            response = self._session.request(
                method, f"{url}?{_query(tuple(parameters.items()))}", name=url, headers=headers, allow_redirects=False
            )
        except gevent.GreenletExit:
            self._record(request, start, None, "ended by the load")
            raise
        operation = self._record(request, start, response, None)
        if cookies:
            self._session.cookiejar.clear()  # a client's own jar would speak for another browser
            cookies.take((response.headers and response.headers.get_all("Set-Cookie")) or [])
        return operation

    def _record(self, request: _Request, start: int, response: Any, ended: str | None) -> Operation:
        end = time.monotonic_ns()
        error = getattr(response, "error", None)
        error = getattr(error, "original", None) or error  # geventhttpclient wraps what really happened
        code = response.status_code if response is not None else 0
        body = _decode(_body, response.content) if response is not None and 200 <= code < 300 else None
        status = sort_ending(request.reads, code, error, body is not None)
        operation = Operation(
            process=self.process,
            op=request.op,
            key=request.key,
            result=body.result if body and status == "ok" else None,
            start=start,
            end=None if status == "info" else end,
            status=status,
            **request.fields,
            served_by=_decode(_server, response.headers.get("X-Served-By")) if body else None,
            error=None if status == "ok" else ended or _words(code, error, response),
            timed_out=isinstance(error, TimeoutError),
        )
        self._recorder.write(operation)
        if status == "info":
            self.process += NEW_PROCESS
        return operation


def _words(code: int, error: BaseException | None, response: Any) -> str:
    if error is not None and code == 0:
        return f"{type(error).__name__}: {error}"
    content = response.content or b""
    return f"HTTP {code}: {content[:200].decode(errors='replace')}"
