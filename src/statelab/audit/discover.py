"""Finds a story if none is given: first requests that the app's rules offer, then requests that the answers lead to.

Everything is tried in one process, in rounds: rules without arguments first, then links, forms with their inputs, and
rules whose arguments an answer names. A request has the query, form or JSON values that its view reads, as far as the
view's source shows them. Values come from an answer that has the same name, or are made up. If the request is refused,
it is sent again without values. Requests answered with a status below 400 are kept, and then the refused ones are tried
again. Pages read before a write are read once more, and requests that delete or log out come last.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, quote_plus, urljoin, urlsplit

from statelab.audit.coverage import NOT_OF_THE_APP
from statelab.audit.explore import Explorer, complete
from statelab.audit.links import IS_ID, leaves
from statelab.audit.story import REFERENCE, Request, Story
from statelab.core.errors import BadInput

ROUNDS = 6
TRIES = 2
"""Tries of each request: with the values that its view reads, and without."""
MOST_REQUESTS = 24
ARGUMENT = re.compile(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>")
LATE = re.compile(r"DELETE|log_?-?out|sign_?-?out", re.IGNORECASE)
FILLED = {"email": "amber@example.org", "number": "1", "range": "1", "date": "2025-01-02", "url": "http://localhost/"}
JSON = ("Content-Type", "application/json")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


class Page(HTMLParser):
    """The links of a page and its forms: method, action, inputs as (name, type, value)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[tuple[str, str, list[tuple[str, str, str]]]] = []
        self._select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append((given.get("method", "get").upper(), given.get("action", ""), []))
        elif tag == "select":
            self._select = given.get("name", "")
        elif self.forms and tag == "option" and self._select:
            self.forms[-1][2].append((self._select, "select", given.get("value", "")))
            self._select = ""
        elif self.forms and tag in ("input", "textarea") and given.get("name"):
            kind = given.get("type", "text") if tag == "input" else "textarea"
            self.forms[-1][2].append((given["name"], kind, given.get("value", "")))


class Discovery:
    """Collects requests, each for a method and rule that has none yet."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        routes = explorer.routes([])["routes"]
        if not routes:
            raise BadInput("the app has no rules to discover requests from: name a story with --requests FILE")
        self._rules = [
            (method, rule["rule"])
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
            for rule in routes
            if rule["endpoint"] != NOT_OF_THE_APP and method in rule["methods"]
        ]
        self._asks = {(method, rule["rule"]): asks for rule in routes for method, asks in rule["asks"].items()}
        self._tried: set[Request] = set()
        self._reached: set[tuple[str, str]] = set()
        self._names = 0
        self._late = False
        self.story: Story = ()
        self._refused: dict[tuple[str, str], str] = {}

    def run(self) -> Story:
        self._try([one for one in self._plain() if one[1].method == "GET"])
        for _ in range(ROUNDS):
            if not self._try([*self._plain(), *self._led_to()]):
                break
        for _ in range(ROUNDS):
            if not self._try(list(self._guessed())):
                break
        self._late = True
        for _ in range(TRIES):
            self._try([*self._plain(), *self._led_to()])
        late = tuple(request for request in self.story if LATE.search(str(request)))
        early = tuple(request for request in self.story if request not in late)
        writes = [index for index, request in enumerate(early) if not request.reads]
        again = [replace(request, name="") for request in early[: writes[-1] if writes else 0] if request.reads]
        whole = early + tuple(again) + late
        needed = frozenset[str]().union(*(request.needs for request in whole))
        return tuple(request if request.name in needed else replace(request, name="") for request in whole)

    def _try(self, new: Sequence[tuple[str, Request]]) -> bool:
        """Plays the story with these requests added, and keeps those answered with a status below 400. Returns whether
        any was tried."""
        chosen: list[tuple[tuple[str, str], Request]] = []
        for rule, request in new:
            if len(self.story) + len(chosen) == MOST_REQUESTS or (request.method, rule) in self._reached:
                continue
            if request in self._tried or any((request.method, rule) == known for known, _ in chosen):
                continue
            if self._late == bool(LATE.search(f"{request.method} {rule}")):
                self._tried.add(request)
                self._names += 1
                chosen.append(((request.method, rule), replace(request, name=f"r{self._names}")))
        if not chosen:
            return False
        self._explorer.progress("looking for requests")
        story = self.story + tuple(request for _, request in chosen)
        answers = self._answers(story)
        kept = [
            request
            for request, answer in zip(story, answers, strict=True)
            if request in self.story or (answer is not None and answer["status"] < 400)
        ]
        statuses = {request.name: answer and answer["status"] for request, answer in zip(story, answers, strict=True)}
        for key, one in chosen:
            self._refused.setdefault(key, f"{one} ({statuses[one.name] or 'not sent'})")
        self._reached |= {key for key, request in chosen if request in kept}
        if len(kept) > len(self.story):
            self._tried = set()  # what was refused may be answered now
        self.story = tuple(kept)
        return True

    @property
    def refused(self) -> list[str]:
        """Methods and rules that were tried, but that no successful request reaches."""
        return [text for key, text in self._refused.items() if key not in self._reached]

    def _answers(self, story: Story) -> list[dict[str, Any] | None]:
        return self._explorer.reference(story).seen.answers if story else []

    def _plain(self) -> Iterator[tuple[str, Request]]:
        """Requests for rules without arguments that no form leads to."""
        forms = {(request.method, rule) for rule, request in self._forms()}
        for method, rule in self._rules:
            if not ARGUMENT.search(rule) and (method, rule) not in forms:
                yield from self._asked(method, rule, rule)

    def _led_to(self) -> Iterator[tuple[str, Request]]:
        yield from self._forms()
        yield from self._with_arguments()
        paths = [
            urljoin(request.target, link)
            for request, page in self._pages()
            for link in page.links
            if not urlsplit(link).netloc and urlsplit(link).scheme in ("", "http")
        ]
        goes = self._explorer.routes([("GET", urlsplit(path).path) for path in paths])["goes"]
        for path, rule in zip(paths, goes, strict=True):
            if rule is not None and ("GET", rule) in self._rules:
                yield rule, Request(method="GET", target=path.partition("#")[0])

    def _pages(self) -> Iterator[tuple[Request, Page]]:
        for request, answer in zip(self.story, self._answers(self.story), strict=True):
            if answer is not None and "<" in answer["body"]:
                yield request, Page(answer["body"])

    def _forms(self) -> Iterator[tuple[str, Request]]:
        found = []
        for page_of, page in self._pages():
            for method, action, inputs in page.forms:
                target = urlsplit(urljoin(REFERENCE.sub("1", page_of.target), action))
                if target.netloc or method not in ("GET", "POST"):
                    continue
                pairs = [f"{quote_plus(name)}={_filled(page_of, name, kind, value)}" for name, kind, value in inputs]
                found.append((method, target.path, "&".join(pairs)))
        goes = self._explorer.routes([(method, path) for method, path, _ in found])["goes"]
        for (method, path, form), rule in zip(found, goes, strict=True):
            if rule is not None and method == "POST":
                yield rule, Request(method=method, target=path, headers=(FORM,), body=form)
            elif rule is not None:
                yield rule, Request(method=method, target=f"{path}?{form}")

    def _with_arguments(self) -> Iterator[tuple[str, Request]]:
        """Requests for rules whose arguments are all found in answers: by the argument's name, or as an id."""
        named = self._named()
        for method, rule in self._rules:
            filled = rule
            for argument in ARGUMENT.finditer(rule):
                converter, name = argument.groups()
                fits = [one for one in named if one[1] and (converter != "int" or one[1].isdigit())]
                own = [one for one in fits if one[0] == name]
                ids = [one for one in fits if IS_ID.search(one[0]) and "/" not in one[1]]
                if own or ids:
                    filled = filled.replace(argument.group(), (own or ids)[0][2], 1)
            if filled != rule and not ARGUMENT.search(filled):
                yield from self._asked(method, rule, filled)

    def _named(self) -> list[tuple[str, str, str]]:
        """The values in JSON answers: key, value and reference."""
        found = []
        for request, answer in zip(self.story, self._answers(self.story), strict=True):
            try:
                body = json.loads(answer["body"]) if answer is not None else None
            except ValueError:
                continue
            for path, key, leaf in leaves("$", "", body):
                found.append((key, leaf, f"{{{{{request.name}.response.body.{path}}}}}"))
        return found

    def _asked(self, method: str, rule: str, target: str) -> Iterator[tuple[str, Request]]:
        """The request with the values that its view reads, and the request without them."""
        asks = self._asks.get((method, rule), {})
        known = {key: reference for key, leaf, reference in reversed(self._named()) if leaf}
        parts = {part: {name: _value(name, guess, known) for name, guess in asks[part].items()} for part in asks}
        if parts:
            query = "&".join(f"{quote_plus(name)}={_quoted(value)}" for name, value in parts.get("query", {}).items())
            full = replace(_request(method, target), target=f"{target}?{query}" if query else target)
            if "form" in parts:
                pairs = "&".join(f"{quote_plus(name)}={_quoted(value)}" for name, value in parts["form"].items())
                full = replace(full, headers=(FORM,), body=pairs)
            elif "json" in parts:
                full = replace(full, headers=(JSON,), body=json.dumps(parts["json"]))
            yield rule, full
        yield rule, _request(method, target)

    def _guessed(self) -> Iterator[tuple[str, Request]]:
        """Requests for the remaining rules, with made-up arguments."""
        for method, rule in self._rules:
            if ARGUMENT.search(rule):
                guess = ARGUMENT.sub(lambda found: "1" if found.group(1) in ("int", "float") else "amber", rule)
                yield from self._asked(method, rule, guess)


def _request(method: str, target: str) -> Request:
    if method in ("GET", "DELETE"):
        return Request(method=method, target=target)
    return Request(method=method, target=target, headers=(JSON,), body="{}")


def _value(name: str, guess: Any, known: dict[str, str]) -> Any:
    """A reference to an answer that has the name; else a value that fits the name; else the guess."""
    if name in known:
        return known[name]
    fits = next((value for part, value in FILLED.items() if part in name.lower() and isinstance(guess, str)), None)
    return guess if fits is None else fits


def _quoted(value: Any) -> str:
    text = str(value[0] if isinstance(value, list) else value)
    return text if REFERENCE.fullmatch(text) else quote_plus(text)


def _filled(page_of: Request, name: str, kind: str, value: str) -> str:
    if kind == "hidden" and re.fullmatch(r"[^}\s]+", name):
        return f"{{{{{page_of.name}.response.body.input.{name}}}}}"
    return quote(value or FILLED.get(kind, "on" if kind == "checkbox" else "amber"))


def discover(explorer: Explorer) -> tuple[Story, list[str]]:
    """A story, and sentences about what could not be tried; raises BadInput if the app offers nothing."""
    discovery = Discovery(explorer)
    story = discovery.run()
    if not story or not complete(story):
        tried = f": {', '.join(discovery.refused)}" if discovery.refused else ""
        raise BadInput(f"no request was found that the app answers{tried}; name a story with --requests FILE")
    notes = [
        f"no story was given: {len(story)} requests were found in what the app offers; keep them and add what matters"
    ]
    if discovery.refused:
        notes.append(f"tried and refused by the app: {', '.join(discovery.refused)}")
    return story, notes
