"""Stories that a browser recorded as a HAR file, which every browser's network panel exports.

Source: the HAR 1.2 specification. Everything that belongs to the browser (its headers, its cookies, pictures, styles
and scripts, other hosts) is left out: cookies come from the app's answers, as for every client.
"""

import re
from base64 import b64decode
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from statelab.audit.links import linked
from statelab.audit.story import METHODS, Request, Story
from statelab.core.errors import BadInput

OF_THE_BROWSER = re.compile(
    r"(?::.*|accept(?:-.*)?|cache-control|connection|content-length|cookie|dnt|host|if-.*|keep-alive|origin|pragma"
    r"|priority|referer|sec-.*|te|upgrade-insecure-requests|user-agent)",
    re.IGNORECASE,
)
BESIDE_A_PAGE = re.compile(r"(?:image|font|audio|video)/|text/css|(?:text|application)/(?:x-)?javascript|font-woff")
LOCAL = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")


class Pair(msgspec.Struct):
    name: str
    value: str = ""


class Posted(msgspec.Struct):
    text: str = ""
    params: list[Pair] = []


class Asked(msgspec.Struct):
    method: str
    url: str
    headers: list[Pair] = []
    postData: Posted | None = None


class Content(msgspec.Struct):
    text: str = ""
    mimeType: str = ""
    encoding: str = ""


class Answered(msgspec.Struct):
    status: int
    headers: list[Pair] = []
    content: Content = msgspec.field(default_factory=Content)


class Entry(msgspec.Struct):
    request: Asked
    response: Answered


class Log(msgspec.Struct):
    entries: list[Entry]


class Har(msgspec.Struct):
    log: Log


def is_har(text: str) -> bool:
    """Whether a text is a HAR file: it begins like a JSON object, which no request of an `.http` file does."""
    return text.lstrip("\ufeff \t\r\n").startswith("{")


def read(path: Path, text: str) -> tuple[Story, list[str]]:
    """The story, with references for repeated values, and notes on how the file was converted; raises BadInput."""
    try:
        entries = msgspec.json.decode(text.lstrip("\ufeff"), type=Har).log.entries
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput(
            f"{path}: JSON, but not a HAR file ({error}); export it in the browser's network panel"
        ) from None
    hosts = [urlsplit(entry.request.url).netloc for entry in entries]
    host = next(
        (name for name in hosts if name.rpartition(":")[0] in LOCAL or name in LOCAL), hosts[0] if hosts else ""
    )
    own = [
        entry
        for entry, name in zip(entries, hosts, strict=True)
        if name == host
        and entry.request.method.upper() in METHODS
        and not BESIDE_A_PAGE.match(entry.response.content.mimeType)
    ]
    if not own:
        raise BadInput(f"{path}: no request in it that the app could answer")
    notes = [f"{path}: the requests to {host}; {len(entries) - len(own)} others left out"] if own != entries else []
    set_cookies, sends = False, False
    for entry in own:
        sends |= not set_cookies and any(pair.name.lower() == "cookie" for pair in entry.request.headers)
        set_cookies |= any(pair.name.lower() == "set-cookie" for pair in entry.response.headers)
    if sends:
        notes.append(f"{path}: it begins with cookies that none of its answers has set; record from the login on")
    story, told = linked(tuple(map(_request, own)), [_answer(entry.response) for entry in own])
    return story, notes + told


def _request(entry: Entry) -> Request:
    asked, url = entry.request, urlsplit(entry.request.url)
    posted = asked.postData or Posted()
    return Request(
        method=asked.method.upper(),
        target=(url.path or "/") + ("?" + url.query if url.query else ""),
        headers=tuple((pair.name, pair.value) for pair in asked.headers if not OF_THE_BROWSER.fullmatch(pair.name)),
        body=posted.text or urlencode([(pair.name, pair.value) for pair in posted.params]),
    )


def _answer(answered: Answered) -> dict[str, Any]:
    body = answered.content.text
    if answered.content.encoding == "base64":
        body = b64decode(body).decode(errors="replace")
    headers = [(pair.name, pair.value) for pair in answered.headers]
    return {"status": answered.status, "headers": headers, "body": body}
