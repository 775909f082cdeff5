"""Our own operations as one JSON array, over one line or many.

[{"process": 0, "op": "write", "value": 1, "start": 10, "end": 20, "status": "ok"}, ...]
"""

import re

from statelab.foreign.events import Records
from statelab.foreign.json_text import elements, first
from statelab.foreign.seconds import with_whole_stamps

NAME = "JSON array of operations"

_EMPTY = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[\s*\]\s*$")
_CUT = re.compile(rb'^\W*\{[^{}]*"op"[^{}]*$')
"""The first object is an operation, and not closed."""
_START = re.compile(rb"(?:\xef\xbb\xbf)?\s*\[")


def sniff(head: bytes) -> bool:
    """A JSON array whose first object is an operation of ours; an empty one is one without operations."""
    return _EMPTY.match(head) is not None or (
        _START.match(head) is not None and ("op" in first(head) or _CUT.search(head) is not None)
    )


def read(text: str, model: str | None) -> Records:
    """The operations of the array; raises Refused."""
    return with_whole_stamps(*elements(text))
