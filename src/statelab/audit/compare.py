"""Compares two runs of a story, leaving out noise: differences between two runs of the reference itself.

An answer is flattened to `{pointer: value}`: `0/status`, `0/header/location`, `0/body/jobs/1/id` for JSON and
`0/body/~12` for the twelfth word of a text. Noise is a set of pointers, learned from runs of the reference and never
guessed. A pointer that is noise covers everything below it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import translate
from typing import Any

from statelab.audit.play import Seen

UNCOMPARED = frozenset(("date", "server", "content-length", "etag", "last-modified", "expires", "age", "connection"))
WORDS = re.compile(r"[^\s\"'<>=&;,()\[\]{}]+")

Flat = dict[str, Any]


def flat(seen: Seen) -> Flat:
    """Everything observed, by pointer: `i/...` belongs to the answer of request i, `files/...` to files. Pointers that
    match an `ignore` pattern of the user are left out; patterns do not have the number of the request."""
    whole = dict(_all(seen))
    if not seen.ignored:
        return whole
    ignored = re.compile("|".join(f"(?:{translate(pattern)})" for p in seen.ignored for pattern in (p, f"{p}/*")))
    return {
        pointer: value
        for pointer, value in whole.items()
        if not ignored.match(pointer if pointer.startswith("files/") else pointer.partition("/")[2])
    }


def _all(seen: Seen) -> Iterator[tuple[str, Any]]:
    for index, answer in enumerate(seen.answers):
        if answer is None:
            yield f"{index}/status", seen.trouble.get(index, "no answer")
            continue
        yield f"{index}/status", answer["status"]
        for name, value in answer["headers"]:
            if name.lower() == "set-cookie":
                cookie, _, rest = value.partition("=")
                gone = "Max-Age=0" in rest or "1970" in rest
                yield f"{index}/header/set-cookie/{cookie}", "removed" if gone else "set"
            elif name.lower() not in UNCOMPARED:
                yield f"{index}/header/{name.lower()}", value
        try:
            body = json.loads(answer["body"])
        except ValueError:
            yield from _text(f"{index}/body", answer["body"])
        else:
            yield from _json(f"{index}/body", body)
    for name, lines in seen.files.items():
        yield f"files/{name}/lines", len(lines)
        for number, line in enumerate(lines):
            yield from _text(f"files/{name}/{number}", line)


def _json(at: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield f"{at}/{{}}", sorted(value)
        for key, part in value.items():
            yield from _json(f"{at}/{key}", part)
    elif isinstance(value, list):
        yield f"{at}/[]", len(value)
        for index, part in enumerate(value):
            yield from _json(f"{at}/{index}", part)
    else:
        yield at, value


def _text(at: str, text: str) -> Iterator[tuple[str, Any]]:
    words = WORDS.findall(text)
    yield f"{at}/~", len(words)
    for number, word in enumerate(words):
        yield f"{at}/~{number}", word


def different(one: Flat, other: Flat) -> list[str]:
    """Pointers whose values differ, in order."""
    names = dict.fromkeys([*one, *other])
    return [name for name in names if one.get(name) != other.get(name)]


class Noise:
    """What differs between runs of the reference. A text whose number of words differs is noise as a whole. So is an
    object whose keys differ, because a random key would be a different pointer in each run."""

    def __init__(self) -> None:
        self.pointers: set[str] = set()

    def learn(self, runs: Sequence[Flat]) -> None:
        for run in runs[1:]:
            for pointer in different(runs[0], run):
                self.pointers.add(pointer.removesuffix("/~").removesuffix("/[]").removesuffix("/{}"))

    def without(self, pointers: Iterable[str]) -> list[str]:
        """The pointers that are neither noise nor below a noise pointer."""
        kept = []
        for pointer in pointers:
            parts = pointer.split("/")
            if not any("/".join(parts[:size]) in self.pointers for size in range(1, len(parts) + 1)):
                kept.append(pointer)
        return kept


def answers(run: Flat) -> Flat:
    """The run without its files."""
    return {pointer: value for pointer, value in run.items() if not pointer.startswith("files")}


def by_request(pointers: Iterable[str]) -> dict[str, list[str]]:
    """Pointers grouped by what they belong to: the index of a request as text, or `files`."""
    found: dict[str, list[str]] = {}
    for pointer in pointers:
        found.setdefault(pointer.partition("/")[0], []).append(pointer)
    return found
