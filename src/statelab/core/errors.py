"""Errors for the user: one clear sentence, and an exit code."""

import json
from typing import Any

_WIDTH = 40
"""Most characters of a value that are shown."""


class BadInput(Exception):
    """The user asked for something that does not exist or cannot be read; the message names what is valid. Exit code
    2."""


class Unavailable(Exception):
    """A server or store is missing; the message says what to do. Its cells are `unavailable`, the rest goes on."""


class EngineFailed(Exception):
    """The engine as a whole cannot run; the message says why and what to do. Exit code 2."""


def require_known(kind: str, wanted: list[str], valid: list[str]) -> None:
    """Raises BadInput with one line naming the valid ones if any of `wanted` is not among them."""
    unknown = [name for name in wanted if name not in valid]
    if unknown:
        raise BadInput(f"no {kind} {', '.join(map(repr, unknown))}; valid are {', '.join(valid)}")


def shown(value: Any) -> str:
    """A value as JSON, cut short."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = "something else"
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."


def listed(words: list[str], word: str = "or") -> str:
    """`a, b or c`."""
    return f"{', '.join(words[:-1])} {word} {words[-1]}" if len(words) > 1 else "".join(words)


def counted(number: int, thing: str) -> str:
    """`1 cell`, `1,200 cells`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
