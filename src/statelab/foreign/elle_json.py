"""The JSON that elle-cli takes: Jepsen's events as JSON objects, in one array or one object a line.

    {"process": 0, "type": "invoke", "f": "write", "value": 1, "index": 0}

The unit of `time` is whatever wrote the file meant.
"""

import json
from decimal import Decimal
from typing import Any

from statelab.foreign.events import Records, event
from statelab.foreign.json_text import elements, first
from statelab.foreign.meaning import records_of
from statelab.foreign.pairing import paired
from statelab.foreign.refused import Refused

NAME = "JSON history of events, as elle-cli takes it"


def sniff(head: bytes) -> bool:
    """The first object has a type and no status."""
    fields = first(head)
    return "type" in fields and not fields.keys().isdisjoint(("f", "process", "index")) and "op" not in fields


def read(text: str, model: str | None) -> Records:
    """The operations of the history; raises Refused."""
    events = [event(_fields(each.decode(), line), line) for each, line in zip(*elements(text), strict=True)]
    return records_of(paired(events, None), model, len(events))


def _fields(text: str, line: int) -> dict[str, Any]:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            raise Refused("a field is given twice", line)
        return made

    def none(word: str) -> Any:
        raise Refused(f"{word} is not a number in JSON", line)

    try:
        found = json.loads(text, object_pairs_hook=once, parse_float=Decimal, parse_constant=none)
    except (ValueError, RecursionError) as error:
        raise Refused(f"not JSON ({error})", line) from None
    if not isinstance(found, dict):
        raise Refused(f"{text[:40]} is not an event; an object is expected", line)
    return found
