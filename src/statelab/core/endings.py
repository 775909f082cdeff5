"""How a request ended, by one rule for Locust's clients and for those of `repro` and `survive`.

A request is `fail` only if it is certain that it had no effect; whatever is not certain is `info`. A request that only
reads has no effect, so without an answer it is `fail`. The table of all endings is in docs/histories.md.
"""

import msgspec

from statelab.core.operation import Result, ServedBy, Status

REFUSALS = frozenset({400, 401, 403, 404, 405, 409, 422, 501})
"""HTTP statuses by which the app refuses before it changes anything (`Refused` in services/webapp/errors.py). Any other
error, such as a 429 or a 500, may come from a proxy in front of the app, or after the app has changed something."""


class Answer(msgspec.Struct, frozen=True):
    """The body of an answer."""

    result: Result


_answer = msgspec.json.Decoder(Answer)
_server = msgspec.json.Decoder(ServedBy)


def answer_in(code: int, body: bytes | None) -> Answer | None:
    """The answer in a response; None if its status is not 2xx or its body is not that of an answer."""
    try:
        return _answer.decode(body) if body and 200 <= code < 300 else None
    except msgspec.MsgspecError:
        return None


def server_in(header: str | None) -> ServedBy | None:
    """Who answered, by the header `X-Served-By`; None if it is missing or has another form."""
    try:
        return _server.decode(header) if header else None
    except msgspec.MsgspecError:
        return None


def status_of(code: int, answer: Answer | None, error: BaseException | None, *, reads: bool) -> Status:
    """The status of an operation. If no response came, `code` is 0 and `error` says why."""
    if answer and error is None:
        return "ok"
    if reads or isinstance(error, ConnectionRefusedError) or code in REFUSALS:
        return "fail"
    return "info"


def in_words(code: int, body: bytes | None, error: BaseException | None) -> str:
    """The ending of an operation that is not `ok`, for its field `error`."""
    if error is not None and code == 0:
        return f"{type(error).__name__}: {error}"
    return f"HTTP {code}: {(body or b'')[:200].decode(errors='replace').strip()}"
