"""Translates the operations of other tools into ours: `:f` and `:value` to `op`, `value`, `result` and so on.

The model is the one that the person names, or the one that has these operations. Where every operation is asked with
a vector of two, the first of them is a key (Jepsen's independent keys). Values that are neither integers of 64 bits nor
strings (keywords, fractions, vectors) become the text that EDN writes for them: all that counts is which are equal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from statelab.core.errors import counted
from statelab.core.operation import Value
from statelab.foreign.edn import Set, text_of
from statelab.foreign.events import TRANSACTIONS, Event, Records
from statelab.foreign.pairing import SECONDS, Pair, Paired
from statelab.foreign.refused import Refused

NEEDED = "the operations of other tools are read as those of"


@dataclass(frozen=True, slots=True)
class Means:
    """One operation of ours. Its request holds a `value`, or what a `cas` needs; an ok one answers with a `result`.

    `sign`: the value is an amount, and this is its sign. `listed`: the result is a collection. `each`: there is one
    operation for each value of that collection.
    """

    op: str
    asks: bool = False
    answers: bool = False
    listed: bool = False
    each: bool = False
    sign: int = 0


_READ = Means("read", answers=True)
_QUEUE = {
    "enqueue": Means("enqueue", asks=True),
    "dequeue": Means("dequeue", answers=True),
    "drain": Means("dequeue", answers=True, listed=True, each=True),
}
_COUNTER = {
    **dict.fromkeys(("add", "increment", "inc", "incr"), Means("increment", sign=1)),
    **dict.fromkeys(("decrement", "dec", "decr", "subtract"), Means("increment", sign=-1)),
    "read": _READ,
}
MEANS: Mapping[str, Mapping[str, Means]] = {
    "register": {"read": _READ, "write": Means("write", asks=True), "cas": Means("cas")},
    "key-value": {
        "get": Means("get", answers=True),
        "put": Means("put", asks=True),
        "append": Means("append", asks=True),
    },
    "set": {"add": Means("add", asks=True), "read": Means("elements", answers=True, listed=True)},
    "queue": _QUEUE,
    "unordered-queue": _QUEUE,
    "counter": _COUNTER,
    "blind-counter": _COUNTER,
    "mutex": {name: Means(name) for name in ("acquire", "release")},
    "unique-ids": {"generate": Means("new-id", answers=True)},
}
"""By model, each `:f` and our operation for it. The first model that has all of a file's operations is taken."""

_TRANSACTIONS = ("txn", "transfer")


def records_of(found: Paired, model: str | None, events: int) -> Records:
    """The operations of a history in our own form; raises Refused for what cannot be one of ours."""
    for pair in found.pairs:
        if pair.asked.f in _TRANSACTIONS or isinstance(pair.asked.value, dict):
            raise Refused(TRANSACTIONS, pair.asked.line)
    keyed = bool(found.pairs) and all(_has_key(pair.asked) for pair in found.pairs)
    name = model or _model_of(found.pairs, keyed=keyed)
    if name not in MEANS:
        raise Refused(f"the model {name} has no operations that other tools write; {NEEDED} {', '.join(MEANS)}")
    values, keys = _Texts(), _Texts()
    records, lines = [], []
    for pair in found.pairs:
        record = _record(pair, MEANS[name], values, name, keyed=keyed)
        if keyed or pair.asked.key is not None:
            key = pair.asked.value[0] if pair.asked.key is None else pair.asked.key
            record["key"] = keys.text_of(key, pair.asked.line)
        of_pair = _one_for_each(record, pair) if MEANS[name][pair.asked.f].each else [record]
        records += of_pair
        lines += [pair.asked.line] * len(of_pair)
    counts = [counted(events, "event"), counted(len(records), "operation"), *([found.order] if found.order else [])]
    if found.skipped:
        counts.insert(1, f"{found.skipped:,} of them by no client")
    if found.seconds:
        counts.append(SECONDS)
    return Records(
        operations=[msgspec.json.encode(record) for record in records],
        lines=lines,
        counts=tuple(counts),
        models=(name, "blind-counter") if name == "counter" and model is None else (name,),
        unit=found.unit,
        seconds=found.seconds,
    )


def _model_of(pairs: list[Pair], *, keyed: bool) -> str:
    """The model whose operations these are; a set's reads answer with collections, a counter's with numbers."""
    first = {pair.asked.f: pair.asked for pair in reversed(pairs)}
    fitting = [model for model, means in MEANS.items() if first.keys() <= means.keys()]
    if not fitting:
        known = {f for means in MEANS.values() for f in means}
        odd = next((event for f, event in first.items() if f not in known), None)
        names = ", ".join(sorted(first))
        if odd is None:
            raise Refused(f"no model has all of these operations: {names}; name the one that is meant with --model")
        raise Refused(f"no operation {odd.f} is known; {NEEDED} {', '.join(MEANS)}", odd.line)
    if "set" in fitting and "add" in first:
        answers = [pair.ended.value for pair in pairs if pair.asked.f == "read" and pair.ended]
        numbers = [value for value in answers if isinstance(value[1] if keyed and _is_pair(value) else value, int)]
        return "counter" if numbers else "set"
    return fitting[0]


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and not isinstance(value, Set) and len(value) == 2


def _has_key(event: Event) -> bool:
    """Whether an operation may ask with a key and a value; a `cas` alone asks with two values."""
    return _is_pair(event.value) and (event.f != "cas" or _is_pair(event.value[1]))


def _record(pair: Pair, means: Mapping[str, Means], texts: "_Texts", model: str, *, keyed: bool) -> dict[str, Any]:
    """One operation as a JSON object."""
    asked, ended = pair.asked, pair.ended
    meant = means.get(asked.f)
    if meant is None:
        raise Refused(f"no operation {asked.f}; as the model {model} these are read: {', '.join(means)}", asked.line)
    status = ended.type if ended else "info"
    key, value = (asked.value[0], asked.value[1]) if keyed else (None, asked.value)
    record: dict[str, Any] = {"process": asked.process, "op": meant.op}
    if meant.op == "cas":
        if not _is_pair(value):
            raise Refused(f"a cas asks with the expected value and the new one, not with {text_of(value)}", asked.line)
        record["expected"], record["value"] = (texts.of(each, asked.line) for each in value)
        if status == "ok":
            record["result"] = True
        elif ended is not None and status == "fail" and ended.error is None:  # an error would be another reason
            if ended.value in (None, asked.value):
                status, record["result"] = "ok", False  # it found another value than the expected one
            else:
                status = "info"  # what came instead of the values says that nothing is known, such as :timed-out
    elif meant.sign:
        amount = 1 if value is None else value
        if not isinstance(amount, int) or isinstance(amount, bool):
            raise Refused(f"{asked.f} by {text_of(value)}; an amount is an integer", asked.line)
        record["value"] = meant.sign * amount
    elif meant.asks:
        record["value"] = texts.of(value, asked.line)
    if meant.answers and status == "ok" and ended is not None:
        record["result"] = _answer(meant, ended, key, texts, keyed=keyed)
    return record | {"start": pair.start, "end": None if status == "info" else pair.end, "status": status}


def _one_for_each(record: dict[str, Any], pair: Pair) -> list[dict[str, Any]]:
    """A drain as one operation for each value that it got. They share its interval, as if different clients had asked:
    the order of the values says nothing then, so a violation may be missed, and none is made up."""
    if record["status"] == "fail":
        return [record]
    if record["status"] == "info":
        raise Refused(f"{pair.asked.f} ended without its values, so nobody knows how many it took", pair.asked.line)
    process = record["process"]
    return [
        record | {"process": f"{process}, {pair.asked.f} at {pair.asked.line}, {place}", "result": value}
        for place, value in enumerate(record["result"], 1)
    ]


def _answer(meant: Means, ended: Event, key: Any, texts: "_Texts", *, keyed: bool) -> Any:
    value = ended.value
    if keyed:
        if not _is_pair(value) or value[0] != key:
            raise Refused(f"it answers with {text_of(value)}, but was asked for the key {text_of(key)}", ended.line)
        value = value[1]
    if not meant.listed:
        return texts.of(value, ended.line)
    if not isinstance(value, list):
        raise Refused(f"it answers with a collection, not with {text_of(value)}", ended.line)
    return [texts.of(item, ended.line) for item in value]


class _Texts:
    """Values as integers and texts. Raises Refused where a string and another value would become the same text."""

    def __init__(self) -> None:
        self._strings: dict[str, bool] = {}

    def of(self, value: Any, line: int) -> Value | None:
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63):
            return value
        return self.text_of(value, line)

    def text_of(self, value: Any, line: int) -> str:
        is_string = isinstance(value, str)
        text: str = value if is_string else text_of(value)
        if self._strings.setdefault(text, is_string) != is_string:
            raise Refused(f"the value {text} is a string here and something else on another line", line)
        return text
