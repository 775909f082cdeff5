"""Turns values that a later request repeats from an earlier answer into references.

Recorded requests hold the ids and tokens of one run; in each world the app makes others. A value counts as repeated if
an answer holds it (a leaf of JSON, an input of a form, the address of a redirect), no earlier request had sent it, and
a later request has it as a whole word: at least six characters, or a part of the path that JSON calls an id.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from statelab.audit.story import REFERENCE, Request, Story, inputs

SHORTEST = 6
IS_ID = re.compile(r"(?:^|_)(?:id|uuid|key|slug)$|[a-z](?:Id|ID)$")
PLAIN = re.compile(r"[\w./+=:~-]+", re.ASCII)

Answer = dict[str, Any]
"""`status`, `headers` as pairs, `body` as text."""


def linked(story: Story, answers: Sequence[Answer]) -> tuple[Story, list[str]]:
    """The story with references where it repeats a value from an answer, and a sentence for each."""
    found = list(story)
    told: list[str] = []
    sent = ""
    for index, answer in enumerate(answers):
        sent += " " + unquote_plus(f"{story[index].target} {story[index].body} {dict(story[index].headers)}")
        for value, path, short in _values(answer):
            if not PLAIN.fullmatch(value) or _whole(value).search(sent):
                continue
            name = found[index].name or f"r{index + 1}"
            reference = f"{{{{{name}.response.{path}}}}}"
            for later in range(index + 1, len(found)):
                changed = _with(found[later], value, reference, short=short)
                if changed != found[later]:
                    found[later] = changed
                    found[index] = replace(found[index], name=name)
                    told.append(f"{story[later]} repeats {value!r} from the answer to {story[index]}: {reference}")
    return tuple(found), told


def _whole(value: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.-]){re.escape(value)}(?![\w-])")


def _with(request: Request, value: str, reference: str, *, short: bool) -> Request:
    """The request with the reference for the value; for a short one only where it is a whole part of the path."""
    path, question, query = request.target.partition("?")
    if request.target == value:
        return replace(request, target=reference)
    path = "/".join(reference if unquote_plus(part) == value else part for part in path.split("/"))
    if short:
        return replace(request, target=path + question + query)

    def put(text: str) -> str:
        words = re.compile("|".join(f"(?:{_whole(word).pattern})" for word in {value, quote_plus(value)}))
        outside = REFERENCE.sub("\0", text).split("\0")
        references = [found.group() for found in REFERENCE.finditer(text)]
        changed = [words.sub(lambda _: reference, part) for part in outside]
        return "".join(part + known for part, known in zip(changed, [*references, ""], strict=True))

    return replace(
        request,
        target=path + question + put(query),
        body=put(request.body),
        headers=tuple((name, put(text)) for name, text in request.headers),
    )


def _values(answer: Answer) -> Iterator[tuple[str, str, bool]]:
    """Each value of an answer, how a reference names it, and whether it is replaced in paths only."""
    for name, value in answer["headers"]:
        path = re.sub(r"^https?://[^/]+", "", value)
        if name.lower() == "location" and any(map(str.isdigit, path)):  # others name the same page in every world
            yield path, "headers.Location", True
    try:
        body = json.loads(answer["body"])
    except ValueError:
        for name, value in inputs(answer["body"]).items():
            if len(value) >= SHORTEST:
                yield value, f"body.input.{name}", False
    else:
        for path, key, leaf in leaves("$", "", body):
            if len(leaf) >= SHORTEST:
                yield leaf, f"body.{path}", False
            elif IS_ID.search(key) and leaf:
                yield leaf, f"body.{path}", True


def leaves(path: str, key: str, value: Any) -> Iterator[tuple[str, str, str]]:
    """Each leaf of a JSON value: its path, the key that it lies under, and its text."""
    if isinstance(value, dict):
        for name, part in value.items():
            if re.fullmatch(r"[^.\[\]{}]+", name):  # other names cannot be written in a reference
                yield from leaves(f"{path}.{name}", name, part)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(f"{path}[{index}]", key, part)
    elif isinstance(value, (str, int)) and not isinstance(value, bool):
        yield path, key, str(value)
