"""One request: sent by its own thread, time-stamped, and recorded as an operation of a history."""

import http.client
import select
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from statelab.core.cookies import Jar
from statelab.core.endings import answer_in, in_words, server_in, status_of
from statelab.core.operation import FIELDS, Operation, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`who` sends `method` to `path`; `cookies` is the cookie header. `op_id` identifies the request, and also the
    operation, unless the parameters have another `op_id`."""

    who: str
    op: str
    op_id: str
    method: str
    path: str
    parameters: Mapping[str, Value]
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Operation-Id": self.op_id, **self.cookies}

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the operation that are known from the request."""
        return {"op_id": self.op_id} | {name: self.parameters[name] for name in FIELDS if name in self.parameters}


def path_of(workload: str, mechanism: str, operation: str) -> str:
    """The path of an operation in the lab's own app; `read` is at the mechanism's own path."""
    path = f"/{workload}/{mechanism}"
    return path if operation == "read" else f"{path}/{operation}"


class Line:
    """A connection that is kept open and so leads to one process; reopened if the server closes it."""

    def __init__(self, url: str, limit_s: float) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=limit_s)

    def exchange(self, request: Request) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Status, headers and body; raises OSError or HTTPException if no answer comes."""
        # an idle connection has nothing to read, unless the server has closed it
        if not self.ended and select.select([self._connection.sock], [], [], 0)[0]:
            self._connection.close()
        target = f"{request.path}?{urlencode(request.parameters)}"
        self._connection.request(request.method, target, headers=request.headers)
        response = self._connection.getresponse()
        return response.status, response.headers, response.read()

    @property
    def ended(self) -> bool:
        """Whether the server closed the connection with its last answer, so that the next request may go to another
        process."""
        return self._connection.sock is None

    def close(self) -> None:
        self._connection.close()


def perform(request: Request, line: Line, jar: Jar) -> Operation:
    """Sends the request and waits until it ends, with or without an answer; never raises."""
    start = time.monotonic_ns()
    code, body, server, error = 0, b"", None, None
    try:
        code, headers, body = line.exchange(request)
        jar.take(headers.get_all("Set-Cookie") or ())
        server = server_in(headers.get("X-Served-By"))
    except (OSError, http.client.HTTPException) as failure:
        error = failure
    end = time.monotonic_ns()
    answer = answer_in(code, body)
    status = status_of(code, answer, error, reads=request.method == "GET")
    return Operation(
        process=request.who,
        op=request.op,
        key=str(request.parameters["key"]),
        result=answer.result if answer and status == "ok" else None,
        start=start,
        end=None if status == "info" else end,
        status=status,
        served_by=server,
        error=None if status == "ok" else in_words(code, body, error),
        timed_out=isinstance(error, TimeoutError),
        **request.fields,
    )


def perform_alone(request: Request, url: str, limit_s: float, jar: Jar) -> Operation:
    """The same over a new connection, so that any process may answer."""
    line = Line(url, limit_s)
    try:
        return perform(request, line, jar)
    finally:
        line.close()


class Call(threading.Thread):
    """A request that has been sent. It ends within its own time limit."""

    def __init__(self, request: Request, line: Line, jar: Jar | None = None) -> None:
        super().__init__(daemon=True)
        self.request = request
        self.line = line
        self._jar = jar or Jar()
        self._operation: Operation | None = None
        self.start()

    def run(self) -> None:
        self._operation = perform(self.request, self.line, self._jar)

    def answer(self, within_s: float | None = None) -> Operation | None:
        """The operation, once it has ended; None if it has not ended within the time."""
        self.join(within_s)
        return self._operation
