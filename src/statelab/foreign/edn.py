"""A reader of EDN, the notation in which Jepsen writes: text to values, each map with the line in which it begins.

The library made for it, edn_format, reads 1,600 maps a second (100,000 events take a minute) and does not say where a
map stood, which a refusal must name. Source of the grammar: github.com/edn-format/edn.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from statelab.foreign.refused import Refused


@dataclass(frozen=True, slots=True)
class Word:
    """A value that is neither a number nor a string, as written: keyword, symbol, character, ratio or tagged value."""

    text: str


class Set(list[Any]):
    """The elements of a set, in the order in which they were written."""


class Map(dict[Any, Any]):
    """A map; `line` counts from 1."""

    line = 0


_TOKEN = re.compile(
    r"""(?P<skip>[\s,]+|;[^\n]*)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<open>\#\{|[\[({])
      | (?P<close>[\])}])
      | (?P<discard>\#_)
      | (?P<tag>\#[\w:][^\s,"()\[\]{};]*)
      | (?P<word>\\.[\w]*|\#\#\w+|\#?[^\s,"()\[\]{};\\\#][^\s,"()\[\]{};]*)""",
    re.VERBOSE | re.DOTALL,
)
_INTEGER = re.compile(r"[+-]?\d+N?")
_FRACTION = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?M?")
_MOST_DIGITS = 4000
"""Python reads no longer integers; a longer one stays as written."""
_CONSTANTS = {"nil": None, "true": True, "false": False}
_CLOSES = {"[": "]", "(": ")", "{": "}", "#{": "}"}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)


@dataclass(slots=True)
class _Open:
    """A collection that has not been closed yet, with the tags and discards that stand before the next form in it."""

    bracket: str
    line: int
    items: list[Any] = field(default_factory=list)
    before: list[str] = field(default_factory=list)


def forms(text: str) -> Iterator[tuple[Any, int]]:
    """The values of a text with the lines (from 1) in which each ends; raises Refused for what is not EDN."""
    stack, at, line, known = [_Open("", 1)], 0, 1, dict[str, Any](_CONSTANTS)
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Refused(f"not EDN ({text[at : at + 20]!r})", line)
        kind, token, at = found.lastgroup, found.group(), found.end()
        top = stack[-1]
        if kind == "skip":
            line += token.count("\n")
            continue
        if kind == "word":
            if (value := known.get(token, top)) is top:  # no value is an open collection
                value = known[token] = _word(token, line)
            _put(top, value, line)
        elif kind == "open":
            stack.append(_Open(token, line))
        elif kind == "close":
            if _CLOSES.get(top.bracket) != token:
                raise Refused(f"{token!r} closes nothing that is open", line)
            stack.pop()
            _put(stack[-1], _collection(top, line), line)
        elif kind in ("discard", "tag"):
            top.before.append(token)
        else:
            _put(top, _ESCAPE.sub(_unescaped, token[1:-1]), line)
            line += token.count("\n")
        if len(stack) == 1 and stack[0].items:
            yield stack[0].items.pop(), line
    if len(stack) > 1:
        raise Refused(f"what {stack[-1].bracket!r} opens is never closed", stack[-1].line)


def _put(top: _Open, value: Any, line: int) -> None:
    """A value into the collection it stands in, after what stands before it: a discard drops it, a tag names it."""
    while top.before:
        mark = top.before.pop()
        if mark == "#_":
            return
        if mark.startswith("#:") and isinstance(value, Map):  # a map whose names have a namespace in common
            spelled = Map({_within(mark[2:], name): item for name, item in value.items()})
            spelled.line = value.line
            value = spelled
        elif not isinstance(value, Map):  # a record is its map
            value = Word(f"{mark} {text_of(value)}")
    top.items.append(value)


def _within(namespace: str, name: Any) -> Any:
    return Word(f":{namespace}/{name.text[1:]}") if isinstance(name, Word) and "/" not in name.text else name


def _collection(closed: _Open, line: int) -> Any:
    if closed.before:
        raise Refused(f"nothing follows {closed.before[-1]!r}", line)
    if closed.bracket == "#{":
        return Set(closed.items)
    if closed.bracket != "{":
        return closed.items
    if len(closed.items) % 2:
        raise Refused("a map has a name without a value", closed.line)
    names = [name if isinstance(name, Word | str | int) else Word(text_of(name)) for name in closed.items[::2]]
    made = Map(zip(names, closed.items[1::2], strict=True))
    if len(made) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused(f"the field {text_of(twice)} is given twice", closed.line)
    made.line = closed.line
    return made


def _word(token: str, line: int) -> Any:
    """A number, a keyword, a symbol or a character."""
    if _INTEGER.fullmatch(token) and len(token) < _MOST_DIGITS:
        return int(token.rstrip("N"))
    if _FRACTION.fullmatch(token):
        return Decimal(token.rstrip("M"))
    if token[0].isdigit() and not re.fullmatch(r"\d+/\d+", token):
        raise Refused(f"{token!r} is not a number", line)
    return Word(token)


def _unescaped(found: re.Match[str]) -> str:
    escaped = found[1]
    return chr(int(escaped[1:], 16)) if len(escaped) == 5 else _ESCAPED.get(escaped, escaped)


def text_of(value: Any) -> str:
    """A value as EDN writes it: equal values have equal texts."""
    match value:
        case None:
            return "nil"
        case bool():
            return str(value).lower()
        case Word():
            return value.text
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Decimal():
            return repr(float(value))
        case Set():
            return f"#{{{' '.join(sorted(map(text_of, value)))}}}"
        case list():
            return f"[{' '.join(map(text_of, value))}]"
        case dict():
            return f"{{{', '.join(sorted(f'{text_of(name)} {text_of(item)}' for name, item in value.items()))}}}"
    return str(value)
