"""What the reader of a format gives: events of clients, or operations as JSON lines; and what it refuses."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from statelab.core.operation import Unit
from statelab.foreign.edn import Word, text_of
from statelab.foreign.refused import Refused

TRANSACTIONS = (
    "this is a transaction over several objects, and statelab judges operations on one object each; transactions are "
    "what elle is for (github.com/jepsen-io/elle, and elle-cli for files)"
)

Type = Literal["invoke", "ok", "fail", "info"]

_TYPES = get_args(Type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a history of events: a client asks for `f`, or learns how it ended.

    `value` is as the format has it: None, integers, texts, lists, `edn.Word` and so on. `time` is in ns, or a Decimal
    with the seconds; `key` is a key beside the value.
    """

    process: int | str
    type: Type
    f: str
    line: int
    value: Any = None
    key: Any = None
    error: Any = None
    time: int | Decimal | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """A file as operations in our own form, one JSON object a line without line breaks.

    `lines[i]` is the line (from 1) of the file in which operation i begins. `counts` says how it was read, for the
    output; `models` are those to which the operations may belong, the likeliest first; empty if that is not known yet.
    `seconds`: the stamps were seconds with fractions, and are in ns now.
    """

    operations: list[bytes]
    lines: list[int]
    counts: tuple[str, ...]
    models: tuple[str, ...] = ()
    unit: Unit | None = None
    seconds: bool = False


def event(fields: dict[str, Any], line: int) -> Event:
    """The fields of one event by their names; raises Refused. `:f` may have a namespace, which is left out."""
    value = fields.get("value")
    if fields.get("f") is None and value and isinstance(value, list) and all(isinstance(part, list) for part in value):
        raise Refused(TRANSACTIONS, line)
    for name in ("process", "type", "f"):
        if fields.get(name) is None:
            there = ", ".join(f":{field}" for field in fields)
            raise Refused(f"no :{name}; an event has :process, :type and :f, and here are {there or 'no fields'}", line)
    kind, process = _name(fields["type"]), fields["process"]
    if kind not in _TYPES:
        raise Refused(f":type is {text_of(fields['type'])}; it must be one of {', '.join(_TYPES)}", line)
    if isinstance(process, Word):
        process = process.text.removeprefix(":")
    if isinstance(process, bool) or not isinstance(process, int | str):
        raise Refused(f":process is {text_of(process)}; it must be a number or a name", line)
    for name, kinds in (("time", int | Decimal), ("index", int)):
        given = fields.get(name)
        if given is not None and (isinstance(given, bool) or not isinstance(given, kinds)):
            raise Refused(f":{name} is {text_of(given)}; it must be a number", line)
    return Event(
        process=process,
        type=kind,  # type: ignore[arg-type]
        f=_name(fields["f"]).rpartition("/")[2],
        line=line,
        value=value,
        key=fields.get("key"),
        error=fields.get("error"),
        time=fields.get("time"),
        index=fields.get("index"),
    )


def _name(value: Any) -> str:
    """The name that a keyword or a string stands for."""
    return value if isinstance(value, str) else text_of(value).removeprefix(":")
