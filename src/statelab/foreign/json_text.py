"""JSON as files have it: the elements of an array with their lines, and the first object of a file."""

import json
import re
from typing import Any

import msgspec

from statelab.foreign.refused import Refused


def elements(text: str) -> tuple[list[bytes], list[int]]:
    """The objects of an array, without line breaks, and the line in which each begins; raises Refused."""
    data = text.encode()
    try:
        found = msgspec.json.decode(data, type=list[msgspec.Raw])
    except msgspec.MsgspecError as error:
        at_byte = re.search(r"byte (\d+)", str(error))
        end = int(at_byte[1]) if at_byte else len(data.rstrip())
        raise Refused(f"begins like a JSON array and is none ({error})", data.count(b"\n", 0, end) + 1) from None
    lines, at, line = [], 0, 1
    for element in map(bytes, found):
        place = data.index(element, at)
        line += data.count(b"\n", at, place)
        lines.append(line)
        line += element.count(b"\n")
        at = place + len(element)
    return [bytes(element).replace(b"\n", b" ") for element in found], lines


def first(head: bytes) -> dict[str, Any]:
    """The first object of a JSON text of which this is the beginning; empty if it is none."""
    start = head.find(b"{")
    try:
        found, _ = json.JSONDecoder().raw_decode(head[max(start, 0) :].decode(errors="replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
