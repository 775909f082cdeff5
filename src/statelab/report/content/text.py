"""Text: lists of names, full stops, and text from outside made safe to show."""

import re
from collections.abc import Iterable

_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def printable(text: str) -> str:
    """The text without control characters, which XML does not allow and which could control a terminal."""
    return text if text.isprintable() else _UNPRINTABLE.sub("�", text)


def shortened(text: str, most: int) -> str:
    """The text on one line, cut to `most` characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(names: Iterable[str]) -> str:
    """Names as code, with commas."""
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def joined(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def ended(text: str) -> str:
    """The text with a full stop at its end."""
    text = text.strip()
    return text if not text or text[-1] in ".!?" else text + "."


def were(words: list[str]) -> str:
    return f"{joined(words)} {'was' if len(words) == 1 else 'were'}"
