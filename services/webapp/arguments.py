"""A request's arguments besides key and window: each has a parser that refuses invalid values."""

import re
from collections.abc import Callable, Mapping

from webapp.errors import Refused

Argument = Callable[[str, str], object]
"""(name, text) -> value; raises Refused (422) before anything has changed."""

Arguments = Mapping[str, Argument]
"""All arguments of an operation; each must be given."""

_TEXT = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def integer(least: int, most: int = 2**31 - 1) -> Argument:
    """A whole number from `least` to `most`."""

    def parse(name: str, text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not least <= number <= most:
            raise Refused(422, f"{name} is {text!r}: it must be a whole number from {least} to {most}")
        return number

    return parse


def word(name: str, text: str) -> str:
    """1 to 128 letters, digits, dots, colons, dashes or underscores."""
    if not _TEXT.fullmatch(text):
        raise Refused(422, f"{name} must be 1 to 128 letters, digits, dots, colons, dashes or underscores")
    return text
