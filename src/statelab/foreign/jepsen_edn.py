"""Jepsen's histories (history.edn), and the test data of Porcupine's key-value model: one map an event.

    {:process 0, :type :invoke, :f :write, :value 1, :time 10, :index 0}
    #jepsen.history.Op{:process 0, :type :ok, :f :write, :value 1, :time 20, :index 1}

One event a line, several, or one vector of all. `:time` is in ns, as Jepsen has it.
"""

import re
from typing import Any

from statelab.foreign.edn import Map, Word, forms, text_of
from statelab.foreign.events import Event, Records, event
from statelab.foreign.meaning import records_of
from statelab.foreign.pairing import paired
from statelab.foreign.refused import Refused

NAME = "Jepsen EDN history"

_GAP = rb"(?:[\s,]|;[^\n]*(?:\n|$))*"
_START = re.compile(
    rb"(?:\xef\xbb\xbf)?" + _GAP + rb"(?:[\[(]" + _GAP + rb")?(?:\#[\w.:/-]*\s*)?\{" + _GAP + rb":[a-z]"
)


def sniff(head: bytes) -> bool:
    """A map with keywords for names, alone or as the first one of a vector."""
    return _START.match(head) is not None


def read(text: str, model: str | None) -> Records:
    """The operations of the history; raises Refused."""
    found = list(forms(text))
    if len(found) == 1 and isinstance(found[0][0], list):  # all events in one vector
        found = [(value, found[0][1]) for value in found[0][0]]
    events = [event_of(value, getattr(value, "line", line)) for value, line in found]
    return records_of(paired(events, "ns"), model, len(events))


def event_of(value: Any, line: int) -> Event:
    """One map as an event; raises Refused."""
    if not isinstance(value, Map):
        raise Refused(f"{text_of(value)[:40]} is not an event; a map with :process, :type and :f is expected", line)
    fields = {name.text.removeprefix(":"): item for name, item in value.items() if isinstance(name, Word)}
    if "type" not in fields:  # the names may have a namespace in common
        spaces = [name.removesuffix("/type") for name in fields if name.endswith("/type")]
        fields = {name.removeprefix(f"{spaces[0]}/"): item for name, item in fields.items()} if spaces else fields
    return event(fields, line)
