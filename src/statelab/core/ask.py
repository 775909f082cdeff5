"""The requests that the load sends to an app that is not the lab's own, and how its answers are read.

The lab's own app has fixed routes (`loadtests/recording.py`). For another app `statelab.toml` says which request each
operation is, and where its result is in the answer (`statelab.plan.promises` reads it).
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import quote, urlencode

import msgspec

from statelab.core.operation import Result, Status

Meaning = Literal["number", "text", "sent", "done", "sold", "lock", "own-user", "user", "user-number", "ledger"]
"""What is read from an answer; it becomes the result of the operation in the history:

number       a whole number                 text         a number or a text, as a text
sent         what the request had sent      done         nothing: it was done
sold         `ok`, or `sold-out`            lock         nothing: the lock was got; or `busy`
own-user     whose session it is; if nothing is read from the answer, the user who asked
user         whose session it is            user-number  the same, and the number of that user
ledger       the ids that took effect, among those sent under this key
"""

PLACEHOLDER = re.compile(r"\{(\w+)\}")
BUSY = "busy"
"""The result of an `acquire` that was refused."""
REFUSED = object()
"""Marks an answer that the promise calls a refusal (`no`)."""
_MOST = 120
"""The most characters that are shown of an answer."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A request with placeholders in path, headers, form and JSON, and how its answer is read.

    `status` is the HTTP status of a success (None: any 2xx, and for `own-user` 3xx too). `result` and `user` are
    JSONPaths into the body. `no` is the answer that refuses: an HTTP status, or the text or truth value that `result`
    then finds.
    """

    method: str
    path: str
    means: Meaning
    headers: dict[str, str] = {}
    form: dict[str, str] = {}
    json: Any = None
    result: str | None = None
    user: str | None = None
    no: int | str | bool | None = None
    status: int | None = None
    reads: bool = False

    def fill(self, sent: Mapping[str, str | int]) -> tuple[str, dict[str, str], bytes | None]:
        """Path, headers and body, their placeholders filled from `sent`, which must have every one of them."""
        path = PLACEHOLDER.sub(lambda found: quote(str(sent[found[1]]), safe=""), self.path)
        headers = {name: str(_filled(value, sent)) for name, value in self.headers.items()}
        if self.json is not None:
            return path, {"Content-Type": "application/json", **headers}, msgspec.json.encode(_filled(self.json, sent))
        if self.form:
            body = urlencode({name: _filled(value, sent) for name, value in self.form.items()})
            return path, {"Content-Type": "application/x-www-form-urlencoded", **headers}, body.encode()
        return path, headers, None

    def outcome(
        self, sent: Mapping[str, str | int], code: int, body: bytes, error: BaseException | None
    ) -> tuple[Status, Result, str | None]:
        """Status and result of the operation; if it has no result, the reason in words.

        A change without a fitting answer may have taken effect. Its outcome is unknown whatever the status, because the
        lab cannot know when another app refuses. Only a refused connection has certainly done nothing.
        """
        lost: Status = "fail" if self.reads or isinstance(error, ConnectionRefusedError) else "info"
        if error is not None:
            return lost, None, f"{type(error).__name__}: {error}"
        if self.refuses(code):
            return self._refused()
        if not self.succeeds(code):
            return lost, None, f"HTTP {code}: {_beginning(body)}"
        try:
            result = self.answered(sent, body)
        except Misfit as misfit:
            return lost, None, str(misfit)
        return self._refused() if result is REFUSED else ("ok", result, None)

    def succeeds(self, code: int) -> bool:
        """Whether an HTTP status means success."""
        if self.status is not None:
            return code == self.status
        return 200 <= code < (400 if self.means == "own-user" else 300)

    def refuses(self, code: int) -> bool:
        """Whether an HTTP status is the one that refuses."""
        return code == self.no and not isinstance(self.no, bool)

    def _refused(self) -> tuple[Status, Result, str | None]:
        match self.means:
            case "sold":
                return "ok", "sold-out", None
            case "lock":
                return "ok", BUSY, None
            case _:
                return "ok", None, None

    def answered(self, sent: Mapping[str, str | int], body: bytes) -> Any:
        """The result that a body gives, or REFUSED; raises Misfit if it has neither."""
        found = _at(self.result, body) if self.result else None
        if isinstance(self.no, str | bool) and type(found) is type(self.no) and found == self.no:
            return REFUSED
        match self.means:
            case "number":
                return self._number(found, body)
            case "text":
                return str(self._value(found, body))
            case "sent":
                return str(sent["value"] if found is None and self.reads else self._value(found, body))
            case "sold":
                return "ok"
            case "own-user" if self.result is None:
                return str(sent["user"])
            case "own-user" | "user":
                return None if found is None else str(self._value(found, body))
            case "user-number":
                user = _at(self.user, body) if self.user else sent["user"]
                return f"{user} {self._number(found, body)}" if user is not None else None
            case "ledger":
                return [name for name in self._names(found, body) if name.startswith(f"{sent['key']}-")]
            case "lock":
                return found
            case _:
                return None

    def _number(self, found: Any, body: bytes) -> int:
        if isinstance(found, str) and re.fullmatch(r"-?\d{1,18}", found):
            return int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise Misfit(f"{self.result} of the answer is not a whole number: {_beginning(body)}")
        return found

    def _value(self, found: Any, body: bytes) -> int | str:
        if not isinstance(found, int | str) or isinstance(found, bool):
            raise Misfit(f"{self.result} of the answer is neither a text nor a whole number: {_beginning(body)}")
        return found

    def _names(self, found: Any, body: bytes) -> list[str]:
        if not isinstance(found, list):
            raise Misfit(f"{self.result} of the answer is not a list: {_beginning(body)}")
        return [str(self._value(name, body)) for name in found]


class Misfit(Exception):
    """An answer that is not as the promise says."""


def _beginning(body: bytes) -> str:
    text = " ".join(body[: 4 * _MOST].decode(errors="replace").split())
    return (text if len(text) <= _MOST else text[: _MOST - 3] + "...") or "(an empty body)"


def _filled(template: Any, sent: Mapping[str, str | int]) -> Any:
    """The template with its placeholders filled; a text that is only a placeholder becomes the value itself."""
    match template:
        case str():
            whole = PLACEHOLDER.fullmatch(template)
            return sent[whole[1]] if whole else PLACEHOLDER.sub(lambda found: str(sent[found[1]]), template)
        case dict():
            return {name: _filled(value, sent) for name, value in template.items()}
        case list():
            return [_filled(value, sent) for value in template]
        case _:
            return template


@lru_cache(maxsize=64)
def path_of(text: str) -> Any:
    """A JSONPath (RFC 9535), compiled; raises ValueError if it is not one."""
    import jsonpath  # only for other apps: it takes as long to load as all the rest

    if not text.startswith("$"):
        raise ValueError("a path begins with $, the whole answer")
    try:
        return jsonpath.compile(text, strict=True)
    except jsonpath.JSONPathError as error:
        raise ValueError(str(error).partition("\n")[0]) from None


def _at(path: str, body: bytes) -> Any:
    """What the path finds in the body: the one value, or a list for a path that may find several. Raises Misfit."""
    try:
        document = msgspec.json.decode(body)
    except msgspec.DecodeError:
        raise Misfit(f"the answer is not JSON: {_beginning(body)}") from None
    query = path_of(path)
    found = query.findall(document)
    if not query.singular_query():
        return found
    if not found:
        raise Misfit(f"{path} matches nothing in the answer: {_beginning(body)}")
    return found[0]
