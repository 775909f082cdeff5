"""Stories in `.http` files, in the format of the REST clients of editors: blocks divided by `###`, one request in each.

A block has a request line, headers, an empty line, a body. Before the request line, `# @name n` names it, `# @client c`
says who sends it (each client has its own cookies), `# @wait 1s` waits first. `@host = ...` defines a variable for
`{{host}}`, whose value may have references to earlier answers (`story.py`). Features of editor clients that the audit
does not have (scripts, prompts, random values) are refused with the file and the line.

Source: the documentation of VS Code's REST Client and of httpyac.
"""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path

from statelab.audit.story import METHODS, PATH, REFERENCE, Request, Story
from statelab.core.errors import BadInput

SETTING = re.compile(r"(?:#|//)\s*@([\w-]+)(?:\s+(.+?))?\s*$")
VARIABLE = re.compile(r"@([\w-]+)\s*=\s*(.*?)\s*$")
BRACES = re.compile(r"\{\{\s*(.*?)\s*\}\}")
SHORT = re.compile(r"([\w-]+)[.\[].+")
REQUEST = re.compile(rf"(?:({'|'.join(METHODS)})\s+)?(\S.*?)(?:\s+HTTP/\d(?:\.\d)?)?", re.IGNORECASE)
ADDRESS = re.compile(r"(?:https?://([^/?]*)|((?:localhost|[\w.-]+(?=:\d)|\d+(?:\.\d+){3})(?::\d+)?)(?=[/?]|$))(.*)")
IN_A_FILE = re.compile(r"<(@?)\s+(\S.*?)\s*$")
SCRIPT = re.compile(r"\s*(?:>\s*(?:\{%|\S+\.js\b)|<\s*\{%|\{\{[@+\w]*\s*$)")
WITHOUT_MEANING = frozenset(
    [
        "note",
        "title",
        "description",
        "tag",
        "ref",
        "forceRef",
        "no-log",
        "no-redirect",
        "no-response-view",
        "timeout",
        "connection-timeout",
        "no-reject-unauthorized",
        "no-client-cert",
        "keepStreaming",
        "noStreamingLog",
        "debug",
    ]
)
"""Editor settings that have no effect here: they say how an answer is shown, or how long to wait for it."""
OTHER_AUTHORIZATION = ("digest", "aws", "ntlm", "openid", "oauth2")
LONGEST_WAIT_S = 60.0
MOST_NESTED = 10
"""How deep variables may be nested: one may be defined by another, that one by a third, and so on."""


def text_of(path: Path) -> str:
    """The text of a file; raises BadInput."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: cannot be read as text: {error}") from error


def read(path: Path) -> Story:
    """The story of an `.http` file; raises BadInput with the file and the line."""
    file = File(path)
    block: list[tuple[int, str]] = []
    lines = text_of(path).splitlines()
    for line in lines:
        if found := VARIABLE.match(line):
            file.variables.setdefault(*found.groups())
    for number, line in enumerate([*lines, "###"], 1):
        if line.startswith("###"):
            file.add(block)
            block = []
        else:
            block.append((number, line))
    if not file.story:
        raise BadInput(f"{path}: no request in it; write one as `GET /path`, the next one after a line `###`")
    return tuple(file.story)


@dataclass
class File:
    """A file while it is read: the requests and variables so far."""

    path: Path
    story: list[Request] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    host: str = ""

    def refuse(self, line: int, why: str) -> BadInput:
        return BadInput(f"{self.path}:{line}: {why}")

    def add(self, block: list[tuple[int, str]]) -> None:
        """Adds the request of a block, if it has one."""
        settings: dict[str, str] = {}
        lines = iter(block)
        for number, line in lines:
            if setting := SETTING.match(line.strip()):
                key, value = setting.group(1), setting.group(2) or ""
                if key not in ("name", "client", "wait", "sleep", "disabled", *WITHOUT_MEANING):
                    known = "known are @name, @client, @wait and @disabled"
                    raise self.refuse(number, f"`@{key}` is not known; {known}")
                settings[key] = value
            elif variable := VARIABLE.match(line):
                self.variables[variable.group(1)] = variable.group(2)
            elif SCRIPT.match(line):
                raise self.refuse(number, "a script, which only an editor runs: write the values that it makes")
            elif line.strip() and not line.lstrip().startswith(("#", "//")):
                break
        else:
            if "name" in settings:
                raise self.refuse(block[0][0], "a request is named here, but none follows")
            return
        if "disabled" in settings:
            return
        method, target = self._request_line(number, line)
        headers: list[tuple[str, str]] = []
        for at, line in lines:
            text = line.strip()
            if not text:
                break
            if text.startswith(("?", "&")) and not headers:
                target += self._filled(at, text)
            elif not text.startswith(("#", "//")):
                headers.append(self._header(at, text))
        kind = next((value.lower() for name, value in headers if name.lower() == "content-type"), "")
        body = self._body(list(lines), kind)
        if body and not kind:
            made = "application/json" if body.lstrip()[0] in "{[" else "application/x-www-form-urlencoded"
            headers.append(("Content-Type", made))
        if any(name.lower() == "x-request-type" for name, _ in headers):
            raise self.refuse(number, "X-Request-Type is for an editor: write the body that it sends")
        name = settings.get("name", "")
        if name and name in self._names():
            raise self.refuse(number, f"a second request is called {name!r}")
        wait = f"{settings['sleep']}ms" if "sleep" in settings else settings.get("wait", "0s")
        self.story.append(
            Request(
                method=method,
                target=target,
                headers=tuple(headers),
                body=body,
                name=name,
                client=settings.get("client", "1"),
                wait_s=self._seconds(number, wait),
                line=number,
            )
        )

    def _names(self) -> set[str]:
        return {request.name for request in self.story if request.name}

    def _request_line(self, number: int, line: str) -> tuple[str, str]:
        whole = self._filled(number, line.strip())
        found = REQUEST.fullmatch(whole)
        method, address = found.groups() if found else (None, whole)
        place = ADDRESS.fullmatch(address)
        if place:
            host, target = place.group(1) or place.group(2) or "", place.group(3)
            if host != (self.host or host):
                both = f"{self.host} and {host}"
                raise self.refuse(number, f"requests to two hosts, {both}: keep those that the app answers")
            self.host = host
        else:
            target = address
        target = "/" + target if target[:1] in ("", "?") else target
        if re.search(r"\s", REFERENCE.sub("", target)) or not (method or place or target.startswith(("/", "{{"))):
            raise self.refuse(number, f"expected a request as `GET /path`, found {line.strip()!r}")
        if not target.startswith(("/", "{{")):
            raise self.refuse(number, f"the address {address!r} must begin with / or http://")
        return (method or "GET").upper(), target

    def _header(self, number: int, text: str) -> tuple[str, str]:
        name, colon, value = text.partition(":")
        if not colon or not re.fullmatch(r"[^\s(){}<>@,;\"/\[\]?=]+", name):
            raise self.refuse(number, f"expected a header as `Name: value`, found {text!r}")
        value = self._filled(number, value.strip())
        if name.lower() == "authorization":
            scheme, _, rest = value.partition(" ")
            if scheme.lower() in OTHER_AUTHORIZATION:
                raise self.refuse(number, f"{scheme} is worked out by an editor: write the header as it is sent")
            user, divides, password = rest.partition(":") if ":" in rest else rest.partition(" ")
            if scheme.lower() == "basic" and divides:
                if REFERENCE.search(rest):
                    raise self.refuse(number, "Basic with a reference: its value is not known before it is encoded")
                value = "Basic " + b64encode(f"{user}:{password.strip()}".encode()).decode()
        return name, value

    def _body(self, lines: list[tuple[int, str]], kind: str) -> str:
        """The body: the rest of a block. A file that it includes is read; checks of the answer are left out."""
        body: list[str] = []
        for number, line in lines:
            if SCRIPT.match(line):
                raise self.refuse(number, "a script, which only an editor runs: write the values that it makes")
            if line.startswith(("?? ", "<> ")):
                continue
            if found := IN_A_FILE.fullmatch(line):
                text = text_of(self.path.parent / self._filled(number, found.group(2)))
                body.append(self._filled(number, text) if found.group(1) else text)
            else:
                body.append(self._filled(number, line))
        while body and not body[-1].strip():
            body.pop()
        while body and not body[0].strip():
            body.pop(0)
        if "x-www-form-urlencoded" in kind:
            return re.sub(r"\s*\n\s*(?=&)|(?<=&)\s*\n\s*", "", "\n".join(body))
        return ("\r\n" if kind.startswith("multipart/") else "\n").join(body)

    def _filled(self, number: int, text: str) -> str:
        """The text with the values of variables, and with every reference in the form that `story.py` reads."""
        for _ in range(MOST_NESTED):
            filled = BRACES.sub(lambda found: self.variables.get(found.group(1), found.group()), text)
            if filled == text:
                break
            text = filled
        return BRACES.sub(lambda found: self._reference(number, found), text)

    def _reference(self, number: int, found: re.Match[str]) -> str:
        inner = found.group(1)
        short = SHORT.fullmatch(inner)
        name = short.group(1) if short else ""
        if inner.startswith("$"):
            raise self.refuse(number, f"{found.group()} is drawn anew each time, and the audit compares: write a value")
        if ".request." in inner or not short:
            how = f"neither a variable (`@{inner} = ...`) nor a reference" if not short else "no reference to an answer"
            forms = "{{name.response.body.$.path}}, {{name.response.body.input.NAME}} or {{name.response.headers.Name}}"
            raise self.refuse(number, f"{found.group()} is {how}; write {forms}")
        if name not in self._names():
            raise self.refuse(number, f"{name!r} names no request above this one")
        if inner == f"{name}.response.body":
            inner += ".*"
        elif not inner.startswith(f"{name}.response."):  # the form of httpyac
            inner = f"{name}.response.body.$" + inner.removeprefix(name)
        of, path = inner.partition(".response.")[2].partition(".")[::2]
        if of not in ("body", "headers") or (of == "body" and not PATH.fullmatch(path)):
            raise self.refuse(number, f"{found.group()}: of a path only names and numbers are read, as $.items[0].id")
        return "{{" + inner + "}}"

    def _seconds(self, number: int, text: str) -> float:
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", text)
        seconds = float(found.group(1)) / (1000 if found.group(2) == "ms" else 1) if found else -1.0
        if not 0 <= seconds <= LONGEST_WAIT_S:
            most = f"at most {LONGEST_WAIT_S:g}s"
            raise self.refuse(number, f"`@wait {text}`: write a time as `500ms` or `2s`, {most}")
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
