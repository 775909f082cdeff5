"""One request under way: sent by a thread of its own, stamped, and kept as an operation of a history."""

import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from urllib.parse import urlsplit

import msgspec

from statelab.core.operation import Operation
from statelab.core.operation import Result
from statelab.core.operation import ServedBy
from statelab.core.operation import Status
from statelab.core.operation import Value
from statelab.drive.browser import Browser

FIELDS = ("value", "expected", "op_id")
"""Parameters that a history has fields for."""


class Body(msgspec.Struct):
    result: Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`who` asks `method` of `path`, with the cookies that it brings; the request is known by `op_id`, which is that of
    the operation as well where the parameters hold no other."""

    who: str
    op: str
    op_id: str
    method: str
    path: str
    parameters: Mapping[str, Value]
    cookies: str = ""

    @property
    def headers(self) -> dict[str, str]:
        brought = {"Cookie": self.cookies} if self.cookies else {}
        return {"X-Operation-Id": self.op_id, **brought}

    @property
    def fields(self) -> dict[str, Any]:
        """Those of the history that belong to the request."""
        return {"op_id": self.op_id} | {name: self.parameters[name] for name in FIELDS if name in self.parameters}


class Line:
    """A connection that is kept and so leads to one process, if the server keeps it; else it is opened anew."""

    def __init__(self, url: str, limit_s: float) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=limit_s)

    def exchange(self, request: Request) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body; raises OSError or HTTPException where no answer comes."""
        target = f"{request.path}?{urlencode(request.parameters)}"
        self._connection.request(request.method, target, headers=request.headers)
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()

    def close(self) -> None:
        self._connection.close()


def _status(request: Request, code: int) -> Status:
    """Refused means without effect, a read has none, and after a 5xx nobody knows."""
    if code == 200:
        return "ok"
    return "fail" if request.method == "GET" or 400 <= code < 500 or code == 501 else "info"


def perform(request: Request, line: Line, browser: Browser) -> Operation:
    """Sends it and waits for its end, whatever that is; never raises."""
    start = time.monotonic_ns()
    code, server, result, words, timed_out = 0, None, None, "", False
    try:
        code, headers, body = line.exchange(request)
        browser.take(headers.get_all("Set-Cookie") or ())
        words = f"HTTP {code}: {body[:200].decode(errors='replace').strip()}"
        server = msgspec.json.decode(headers.get("X-Served-By", "null"), type=ServedBy | None)
        result = msgspec.json.decode(body, type=Body).result if code == 200 else None
    except (OSError, http.client.HTTPException, msgspec.MsgspecError) as error:
        words, timed_out = f"{type(error).__name__}: {error}", isinstance(error, TimeoutError)
    end = time.monotonic_ns()
    status = _status(request, code)
    return Operation(
        process=request.who,
        op=request.op,
        key=str(request.parameters["key"]),
        result=result,
        start=start,
        end=None if status == "info" else end,
        status=status,
        served_by=server,
        error=None if status == "ok" else words,
        timed_out=timed_out,
        **request.fields,
    )


class Call(threading.Thread):
    """A request that has been sent. It ends within its own time limit, so nobody has to wait for longer."""

    def __init__(self, request: Request, line: Line, browser: Browser | None = None) -> None:
        super().__init__(daemon=True)
        self.request = request
        self._line = line
        self._browser = browser or Browser()
        self._operation: Operation | None = None
        self.start()

    def run(self) -> None:
        self._operation = perform(self.request, self._line, self._browser)

    def answer(self, within_s: float | None = None) -> Operation | None:
        """The operation once it has ended; None where it has not by then."""
        self.join(within_s)
        return self._operation
