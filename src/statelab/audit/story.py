"""Stories: requests in order, by one or more clients. Later requests may use values of earlier answers.

`{{n.response.body.$.path}}`, `{{n.response.body.input.NAME}}` (an input of an HTML form, as a CSRF token) and
`{{n.response.headers.Name}}` stand for values in the answer to the request named n.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Any

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READS = frozenset(("GET", "HEAD", "OPTIONS"))
REFERENCE = re.compile(r"\{\{\s*([\w-]+)\.response\.(body|headers)\.([^}]+?)\s*\}\}")
PATH = re.compile(r"\*|input\..+|\$?(?:\.?[\w-]+|\[\d+\]|\[(['\"])[^'\"]+\1\])*")
"""The path of a value in a body: `*` for all of it, `input.NAME`, or the names and numbers of a JSONPath."""
KEY = re.compile(r"\[['\"](.+?)['\"]\]|([^.\[\]]+)")


class Unresolved(Exception):
    """A request needs a value of an answer that does not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `client` owns the cookies; `name` is the name of its answer in references; `line` is its line in the
    file."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    name: str = ""
    client: str = "1"
    wait_s: float = 0.0
    line: int = 0

    def __str__(self) -> str:
        return f"{self.method} {self.target}"

    @property
    def reads(self) -> bool:
        return self.method in READS

    @property
    def needs(self) -> frozenset[str]:
        """Names of the requests whose answers it repeats."""
        texts = (self.target, self.body, *(value for _, value in self.headers))
        return frozenset(found.group(1) for text in texts for found in REFERENCE.finditer(text))

    def resolved(self, answers: Mapping[str, dict[str, Any]]) -> "Request":
        """The request with references replaced by values of earlier answers; raises Unresolved."""
        return replace(
            self,
            target=re.sub(r"^https?://[^/]+", "", _fill(self.target, answers)) or "/",
            body=_fill(self.body, answers),
            headers=tuple((name, _fill(value, answers)) for name, value in self.headers),
        )


Story = tuple[Request, ...]


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name"):
            self.found.setdefault(str(given["name"]), given.get("value") or "")


def inputs(html: str) -> dict[str, str]:
    """The named inputs of a page and their values; of two with the same name, the first."""
    parser = _Inputs()
    parser.feed(html)
    return parser.found


def _fill(text: str, answers: Mapping[str, dict[str, Any]]) -> str:
    return REFERENCE.sub(lambda found: _value(found, answers), text)


def _value(found: re.Match[str], answers: Mapping[str, dict[str, Any]]) -> str:
    name, part, path = found.groups()
    answer = answers.get(name)
    if answer is None:
        raise Unresolved(f"{found.group()}: no request called {name!r} was answered before")
    if part == "headers":
        for header, value in answer["headers"]:
            if header.lower() == path.lower():
                return str(value)
        raise Unresolved(f"{found.group()}: the answer has no header {path}")
    if path in ("*", "$"):
        return str(answer["body"])
    if path.startswith("input."):
        given = inputs(answer["body"]).get(path.removeprefix("input."))
        if given is None:
            raise Unresolved(f"{found.group()}: the answer has no such input")
        return given
    try:
        value = json.loads(answer["body"])
        for quoted, plain in KEY.findall(path.removeprefix("$")):
            key = quoted or plain
            value = value[int(key)] if isinstance(value, list) else value[key]
    except (ValueError, LookupError, TypeError) as error:
        raise Unresolved(f"{found.group()}: the answer's body has no such value") from error
    return value if isinstance(value, str) else json.dumps(value)
