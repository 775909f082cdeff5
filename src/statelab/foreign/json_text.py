"""The elements of a JSON array with their lines, and the first object of a file."""

import json
import re
from typing import Any

import msgspec

from statelab.foreign.refused import Refused

_VALUE = re.compile(r"[^ \t\r\n]")


def elements(text: str) -> tuple[list[bytes], list[int]]:
    """The objects of an array, or those that follow each other, and the line in which each begins; raises Refused.

    They come without line breaks.
    """
    text = text.removeprefix("\ufeff")
    if not text.lstrip().startswith("["):
        return _one_after_the_other(text)
    data = text.encode()
    try:
        found = msgspec.json.decode(data, type=list[msgspec.Raw])
    except msgspec.MsgspecError as error:
        at_byte = re.search(r"byte (\d+)", str(error))
        end = int(at_byte[1]) if at_byte else len(data.rstrip())
        raise Refused(f"begins like a JSON array and is not one ({error})", data.count(b"\n", 0, end) + 1) from None
    lines, at, line = [], 0, 1
    for element in map(bytes, found):
        place = data.index(element, at)
        line += data.count(b"\n", at, place)
        lines.append(line)
        line += element.count(b"\n")
        at = place + len(element)
    return [bytes(element).replace(b"\n", b" ") for element in found], lines


def _one_after_the_other(text: str) -> tuple[list[bytes], list[int]]:
    """Objects that are not in an array, each on one line or over several, as `jq` prints them."""
    scan, found, lines, at, line = json.JSONDecoder().raw_decode, list[bytes](), list[int](), 0, 1
    while begin := _VALUE.search(text, at):
        line += text.count("\n", at, begin.start())
        try:
            _, at = scan(text, begin.start())
        except (ValueError, RecursionError) as error:
            where = error.lineno if isinstance(error, json.JSONDecodeError) else line
            raise Refused(f"not JSON ({error})", where) from None
        found.append(text[begin.start() : at].replace("\n", " ").encode())
        lines.append(line)
        line += text.count("\n", begin.start(), at)
    return found, lines


def spread(head: bytes) -> bool:
    """Whether the first object is not alone on its line, or not whole on it."""
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    try:
        msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return True
    return False


def first(head: bytes) -> dict[str, Any]:
    """The first object of a JSON text of which this is the beginning; empty if there is none."""
    start = head.find(b"{")
    try:
        found, _ = json.JSONDecoder().raw_decode(head[max(start, 0) :].decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
