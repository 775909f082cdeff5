"""Stories: requests in order, by one or more clients, later ones with values of earlier answers.

The form is the `.http` file that editors know: blocks divided by `###`, in each a request line, headers, an empty line,
a body. Before the request line, `# @name n` names it, `# @client c` says who sends it (each client has its own
cookies), `# @wait 1s` waits first. `{{n.response.body.$.path}}`, `{{n.response.body.input.NAME}}` (an input of an HTML
form, as a CSRF token) and `{{n.response.headers.Name}}` stand for values in the answer to the request named n.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from statelab.core.errors import BadInput

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
READS = frozenset(("GET", "HEAD", "OPTIONS"))
REFERENCE = re.compile(r"\{\{\s*([\w-]+)\.response\.(body|headers)\.([^}]+?)\s*\}\}")
SETTING = re.compile(r"(?:#|//)\s*@(\w+)\s+(.+?)\s*$")
LONGEST_WAIT_S = 60.0


class Unresolved(Exception):
    """A request needs a value of an answer that does not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `client` owns the cookies; `name` is what references call its answer; `line` is where it stands."""

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
        """With the values of earlier answers in their places; raises Unresolved."""
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
    """The named inputs of a page and their values; of two with one name, the first."""
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
        for key in re.findall(r"[^.\[\]]+", path.removeprefix("$")):
            value = value[int(key)] if isinstance(value, list) else value[key]
    except (ValueError, LookupError, TypeError) as error:
        raise Unresolved(f"{found.group()}: the answer's body has no such value") from error
    return value if isinstance(value, str) else json.dumps(value)


def text_of(path: Path) -> str:
    """What is in a file; raises BadInput."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as text: {error}") from error


def read(path: Path) -> Story:
    """The story of an `.http` file; raises BadInput with the file and the line."""
    text = text_of(path)
    story: list[Request] = []
    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text.splitlines(), "###"], 1):
        if not line.startswith("###"):
            block.append((number, line))
            continue
        request = _request(path, block)
        if request is not None:
            _check(path, request, story)
            story.append(request)
        block = []
    if not story:
        raise BadInput(f"{path}: no request in it; write one as `GET /path`, the next one after a line `###`")
    return tuple(story)


def _check(path: Path, request: Request, before: list[Request]) -> None:
    names = {earlier.name for earlier in before if earlier.name}
    if request.name in names:
        raise BadInput(f"{path}:{request.line}: a second request is called {request.name!r}")
    unknown = sorted(request.needs - names)
    if unknown:
        raise BadInput(f"{path}:{request.line}: {unknown[0]!r} names no request above this one")
    for piece in (request.target, request.body):
        left = re.search(r"\{\{.*?\}\}", REFERENCE.sub("", piece))
        if left:
            raise BadInput(
                f"{path}:{request.line}: {left.group()} is not a reference;"
                " write {{name.response.body.$.path}}, {{name.response.body.input.NAME}} or"
                " {{name.response.headers.Name}}"
            )


def _request(path: Path, block: list[tuple[int, str]]) -> Request | None:
    settings: dict[str, str] = {}
    lines = iter(block)
    for number, line in lines:
        setting = SETTING.match(line.strip())
        if setting:
            key, value = setting.groups()
            if key not in ("name", "client", "wait"):
                raise BadInput(f"{path}:{number}: `@{key}` is not known; known are @name, @client and @wait")
            settings[key] = value
        elif line.strip() and not line.lstrip().startswith(("#", "//")):
            break
    else:
        if settings:
            raise BadInput(f"{path}:{block[0][0]}: a request is named here, but none follows")
        return None
    words = line.split()
    method = words[0].upper()
    if method not in METHODS or len(words) not in (2, 3):
        raise BadInput(f"{path}:{number}: expected a request as `GET /path`, found {line.strip()!r}")
    target = re.sub(r"^https?://[^/]+", "", words[1]) or "/"
    if not target.startswith(("/", "{{")):
        raise BadInput(f"{path}:{number}: the address {words[1]!r} must begin with / or http://")
    headers = []
    for at, header in lines:
        if not header.strip():
            break
        name, colon, value = header.partition(":")
        if not colon:
            raise BadInput(f"{path}:{at}: expected a header as `Name: value`, found {header.strip()!r}")
        headers.append((name.strip(), value.strip()))
    body = "\n".join(line for _, line in lines).strip("\n")
    if body and not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json" if body[0] in "{[" else "application/x-www-form-urlencoded"))
    return Request(
        method=method,
        target=target,
        headers=tuple(headers),
        body=body,
        name=settings.get("name", ""),
        client=settings.get("client", "1"),
        wait_s=_seconds(path, number, settings.get("wait", "0s")),
        line=number,
    )


def _seconds(path: Path, number: int, text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text)
    seconds = float(found.group(1)) / (1000 if found.group(2) == "ms" else 1) if found else -1.0
    if not 0 <= seconds <= LONGEST_WAIT_S:
        raise BadInput(f"{path}:{number}: `@wait {text}`: write a time as `500ms` or `2s`, at most {LONGEST_WAIT_S:g}s")
    return seconds


def written(story: Story) -> str:
    """The story as an `.http` file."""
    blocks = []
    for request in story:
        lines = [f"# @name {request.name}"] if request.name else []
        lines += [f"# @client {request.client}"] if request.client != "1" else []
        lines += [f"# @wait {request.wait_s * 1000:.0f}ms"] if request.wait_s else []
        lines += [f"{request.method} {request.target}", *(f"{name}: {value}" for name, value in request.headers)]
        blocks.append("\n".join([*lines, "", request.body] if request.body else lines))
    return "\n\n###\n".join(blocks) + "\n"
