"""What a field holds and what it may hold, in words."""

import json
from typing import Any

from statelab.record.reading.rules import BOOL
from statelab.record.reading.rules import LIST
from statelab.record.reading.rules import MISSING
from statelab.record.reading.rules import NULL
from statelab.record.reading.rules import NUMBER
from statelab.record.reading.rules import SERVER
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import TEXT

_WIDTH = 40
_WORDS = {
    NUMBER: "an integer of 64 bits",
    TEXT: "a text",
    BOOL: "true or false",
    LIST: "a list of integers and texts",
    SERVER: f"an object with {', '.join(SERVER_FIELDS)}",
    NULL: "null",
    MISSING: "left out",
}


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


def allowed_in_words(allowed: int) -> str:
    return listed([word for bit, word in _WORDS.items() if allowed & bit])
