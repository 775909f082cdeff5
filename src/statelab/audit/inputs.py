"""The values that a client sends. They can be recognised in the answers to other clients, and can be replaced."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from statelab.audit.story import REFERENCE, Request

SHORTEST = 3
"""The fewest characters of a value: shorter ones would be found by chance."""


def _free(value: str) -> bool:
    """Whether the value may be replaced: it has letters, contains no reference, and is no constant of JSON."""
    return (
        not REFERENCE.search(value) and bool(re.search(r"[A-Za-z]", value)) and value not in ("true", "false", "null")
    )


def values(request: Request) -> frozenset[str]:
    """Texts that the request sends and that can be recognised in an answer."""
    found: set[str] = set()
    varied(request, lambda value: found.add(value) or value)  # type: ignore[func-returns-value]
    found |= {
        part for part in request.target.partition("?")[0].split("/") if _free(part) and any(map(str.isdigit, part))
    }
    return frozenset(value for value in found if len(value) >= SHORTEST)


def varied(request: Request, other: Callable[[str], str]) -> Request:
    """The request with each free value replaced: in the query, a form, the strings of a JSON body, and `X-` headers."""
    path, question, query = request.target.partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    target = path + question + urlencode([(name, other(value) if _free(value) else value) for name, value in pairs])
    headers = tuple(
        (name, other(value) if name.lower().startswith("x-") and _free(value) else value)
        for name, value in request.headers
    )
    return replace(
        request,
        target=request.target if REFERENCE.search(query) else target,
        headers=headers,
        body=_body(request, other),
    )


def _body(request: Request, other: Callable[[str], str]) -> str:
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    if "json" in kind:
        try:
            return json.dumps(_json(json.loads(request.body), other))
        except ValueError:
            return request.body
    if "urlencoded" in kind and not REFERENCE.search(request.body):
        pairs = parse_qsl(request.body, keep_blank_values=True)
        return urlencode([(name, other(value) if _free(value) else value) for name, value in pairs])
    return request.body


def _json(value: Any, other: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {key: _json(part, other) for key, part in value.items()}
    if isinstance(value, list):
        return [_json(part, other) for part in value]
    return other(value) if isinstance(value, str) and _free(value) else value


def marked(client: str) -> Callable[[str], str]:
    """A replacement that shows whose value it is: `amber` becomes `amber-zq2`. An email address keeps its form."""

    def other(value: str) -> str:
        name, at, domain = value.partition("@")
        return f"{name}-zq{client}{at}{domain}"

    return other


def texts(answer: dict[str, Any] | None) -> Iterator[str]:
    if answer is not None:
        yield answer["body"]
        yield from (value for name, value in answer["headers"] if name.lower() != "set-cookie")
