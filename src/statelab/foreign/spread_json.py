"""Our own operations as JSON objects that follow each other, over several lines each, such as `jq` prints them."""

from statelab.foreign import array
from statelab.foreign.events import Records
from statelab.foreign.json_text import first, spread

NAME = "JSON objects over several lines"


def sniff(head: bytes) -> bool:
    """The first object is an operation of ours, and not alone on one line."""
    return "op" in first(head) and spread(head)


def read(text: str, model: str | None) -> Records:
    """The operations of the objects; raises Refused."""
    return array.read(text, model)
