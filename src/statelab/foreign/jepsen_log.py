"""The log that a Jepsen test writes while it runs, and the test data of Porcupine's register model.

    INFO  jepsen.util - 0	:invoke	:write	1
    2024-05-01 12:00:00,123{GMT}	INFO	[jepsen worker 0] jepsen.util: 0	:ok	:write	1
    0	:fail	:cas	[1 2]	:did-not-succeed

Process, type, `:f`, value, and what went wrong if anything did (history.txt has the same without what stands before).
Other lines of the log are left out. The order of the lines is the order of the events.
"""

import re
from typing import Any

from statelab.foreign.edn import forms
from statelab.foreign.events import Event, Records, event
from statelab.foreign.meaning import records_of
from statelab.foreign.pairing import paired
from statelab.foreign.refused import Refused

NAME = "Jepsen log"

_LINE = re.compile(
    r"^(?:.*\bjepsen\.util\s*[-:]\s*)?(?P<process>\d+|:[\w-]+)\s+(?P<type>:(?:invoke|ok|fail|info))\s+"
    r"(?P<f>:[\w./-]+)(?P<rest>.*)$"
)
_HINT = re.compile(r"\s+:hint\s+\d+\s*$")
"""What some of Porcupine's logs add for other checkers."""


def sniff(head: bytes) -> bool:
    """A line of an operation within the first lines, whatever stands before."""
    return any(_LINE.match(line) for line in head.decode(errors="replace").splitlines())


def read(text: str, model: str | None) -> Records:
    """The operations of the log; raises Refused."""
    events = [_event(found, line) for line, found in enumerate(map(_LINE.match, text.splitlines()), 1) if found]
    return records_of(paired(events, None), model, len(events))


def _event(found: re.Match[str], line: int) -> Event:
    try:
        values: list[Any] = [value for value, _ in forms(_HINT.sub("", found["rest"]) + "\n")]
        process, kind, f = (next(forms(found[name] + "\n"))[0] for name in ("process", "type", "f"))
    except Refused as refused:
        raise Refused(str(refused), line) from None
    value, error = values[0] if values else None, values[1] if len(values) > 1 else None
    return event({"process": process, "type": kind, "f": f, "value": value, "error": error}, line)
