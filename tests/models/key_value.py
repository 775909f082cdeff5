"""A key-value store of texts: put, get and append."""

import random
from collections.abc import Callable
from typing import Any

import msgspec

from models.known import Known, Operations
from oracle import REFUSED, explained
from statelab.check.models.key_value.model import MODEL
from statelab.core.operation import Operation, ServedBy, Value


def put(start: int, end: int, text: str, key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(process=0, op="put", start=start, end=end, status="ok", value=text, key=key, served_by=by)


def append(start: int, end: int, text: str, key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(process=0, op="append", start=start, end=end, status="ok", value=text, key=key, served_by=by)


def get(start: int, end: int, text: str | None, key: str = "", by: ServedBy | None = None) -> Operation:
    return Operation(process=0, op="get", start=start, end=end, status="ok", result=text, key=key, served_by=by)


def unknown(op: str, start: int, text: str) -> Operation:
    return Operation(process=0, op=op, start=start, end=None, status="info", value=text)


def refused(op: str, start: int, end: int, text: str) -> Operation:
    return Operation(process=0, op=op, start=start, end=end, status="fail", value=text)


def one_text(operations: Operations, initial: Value | None) -> bool:
    def step(state: str, operation: Operation) -> Any:
        if operation.op == "get":
            shown = initial if operation.result is None else operation.result
            return state if shown == state else REFUSED
        assert isinstance(operation.value, str)
        return operation.value if operation.op == "put" else state + operation.value

    return explained(operations, initial, step, {"put", "append"})


def small(rng: random.Random) -> Operations:
    """A real store's answers, with texts that can be told apart or not, and often one or two of them changed."""
    texts = rng.choice((["a", "b"], ["a", "aa", "b"], ["ab", "a", "b", ""], ["x1", "x2", "x3", "x4", "x5", "x6", "x7"]))
    puts = rng.choice((0, 0.15, 0.3))
    state, operations, time = "", [], 0
    for _ in range(rng.randint(1, 7)):
        time += rng.choice((0, 1, 2, 4))
        start, end = time - rng.choice((0, 0, 1, 2, 3)), time + rng.choice((0, 0, 1, 2, 4))
        kind, op = rng.random(), "put" if rng.random() < puts else "append"
        text = texts.pop(0) if len(texts) > 4 else rng.choice(texts)
        if kind < 0.42:
            operations.append(put(start, end, text) if op == "put" else append(start, end, text))
        elif kind < 0.52:
            operations.append(unknown(op, start, text))
        elif kind < 0.55:
            operations.append(refused(op, start, end, text))
        else:
            operations.append(get(start, end, state or rng.choice(("", None))))
        if kind < 0.42 or (kind < 0.52 and rng.random() < 0.5):
            state = text if op == "put" else state + text
    for _ in range(rng.choice((1, 2, 3, 4, 6))):
        _change(operations, rng)
    return operations


def _change(operations: Operations, rng: random.Random) -> None:
    row, other = rng.randrange(len(operations)), rng.choice(operations)
    o = operations[row]
    if o.op == "get" and rng.random() < 0.5:
        o = msgspec.structs.replace(o, result=(other.result or "") + (other.value or ""))
    elif o.op == "get" and isinstance(o.result, str):
        o = msgspec.structs.replace(o, result=o.result[: rng.randrange(len(o.result) + 1)])
    elif o.status == "ok":
        shift = rng.choice((-7, 7))
        o = msgspec.structs.replace(o, start=o.start + shift, end=(o.end or 0) + shift)
    operations[row] = o


def large(n: int, rng: random.Random) -> Operations:
    """Ten clients append tokens of their own and get; every hundredth operation is a put, 1 % got no answer."""
    state, operations = "", []
    for i in range(n):
        start, end, kind = i * 100 - rng.randrange(490), i * 100 + rng.randrange(490), rng.random()
        text = f"x {i % 10} {i // 10} y"
        if i % 100 == 50:
            state, o = text, put(start, end, text)
        elif kind < 0.5:
            state += text
            o = unknown("append", start, text) if rng.random() < 0.02 else append(start, end, text)
        else:
            o = get(start, end, state or None)
        operations.append(msgspec.structs.replace(o, process=i % 10))
    return operations


def _changed(operations: Operations, rng: random.Random, change: Callable[[str], str | None]) -> Operations:
    """One get in the last two thirds shows a text of 10 tokens or more as `change` makes it."""
    long = [i for i, o in enumerate(operations) if str(o.result).count("y") > 10 and i > len(operations) // 3]
    row = rng.choice(long)
    told = msgspec.structs.replace(operations[row], result=change(str(operations[row].result)))
    return [*operations[:row], told, *operations[row + 1 :]]


def lost_append(operations: Operations, rng: random.Random) -> Operations:
    """One get lacks a token in the middle of its text."""
    return _changed(operations, rng, lambda text: _tokens(_parts(text)[:5] + _parts(text)[6:]))


def swapped(operations: Operations, rng: random.Random) -> Operations:
    """One get shows two tokens in the other order, which others show as well."""
    return _changed(
        operations, rng, lambda text: _tokens([*_parts(text)[:5], *_parts(text)[6:4:-1], *_parts(text)[7:]])
    )


def stale(operations: Operations, rng: random.Random) -> Operations:
    """One get lacks the last 9 tokens."""
    return _changed(operations, rng, lambda text: _tokens(_parts(text)[:-9]))


def phantom(operations: Operations, rng: random.Random) -> Operations:
    """One get shows something that nobody wrote."""
    return _changed(operations, rng, lambda text: f"{text}z")


def doubled(operations: Operations, rng: random.Random) -> Operations:
    """One get shows its last append twice, as after a retry."""
    return _changed(operations, rng, lambda text: text + _tokens(_parts(text)[-1:]))


def from_before_the_put(operations: Operations, rng: random.Random) -> Operations:
    """One get shows a text of long before."""
    old = next(str(o.result) for o in operations if str(o.result).count("y") == 3)
    return _changed(operations, rng, lambda _: old)


def _parts(text: str) -> list[str]:
    return text.split("y")[:-1]


def _tokens(parts: list[str]) -> str:
    return "".join(f"{part}y" for part in parts)


KNOWN = Known(
    model=MODEL,
    clocks=("stale-read",),
    referee=one_text,
    small=small,
    accepted={
        "one after the other": [put(0, 1, "a"), append(2, 3, "b"), get(4, 5, "ab"), put(6, 7, "c"), get(8, 9, "c")],
        "nothing yet": [get(0, 1, None), get(0, 1, "")],
        "overlapping, in either order": [append(0, 9, "a"), append(1, 8, "b"), get(10, 11, "ba")],
        "overwritten before anybody looked": [append(0, 1, "a"), put(2, 3, "b"), get(4, 5, "b")],
        "equal texts": [append(0, 9, "a"), append(0, 9, "a"), append(0, 9, "aa"), get(1, 8, "aaa")],
        "an unknown append that took effect": [unknown("append", 0, "a"), get(5, 6, "a")],
        "an unknown put that did not": [unknown("put", 0, "a"), get(5, 6, None)],
        "a refused put": [refused("put", 0, 1, "a"), get(2, 3, None)],
    },
    rejected={
        "an append that no get shows": ([append(0, 1, "a"), append(2, 3, "b"), get(4, 5, "b")], "lost-append", [0, 2]),
        "a put that no get shows": ([put(0, 1, "a"), get(2, 3, None)], "lost-put", [0, 1]),
        "an older text": ([append(0, 9, "a"), get(1, 2, "a"), get(3, 4, None)], "stale-read", [1, 2]),
        "from before the put": (
            [append(0, 1, "a"), put(2, 3, "b"), get(4, 5, "a"), get(6, 7, "b")],
            "stale-read",
            [1, 2],
        ),
        "nobody wrote it": ([append(0, 1, "a"), get(2, 3, "ab")], "phantom", [1]),
        "after a refused put": ([refused("put", 0, 1, "a"), get(2, 3, "a")], "phantom", [1]),
        "shown before it was asked for": ([get(0, 1, "a"), append(2, 3, "a")], "future-read", [0]),
        "one append twice": ([append(0, 1, "a"), get(2, 3, "aa")], "repeated-append", [1]),
        "two texts that cannot be ordered": (
            [append(0, 9, "a"), append(0, 9, "b"), get(1, 8, "ab"), get(1, 8, "ba")],
            "fork",
            [2, 3],
        ),
        "not in the order of the appends": (
            [append(0, 1, "a"), append(2, 3, "b"), get(4, 5, "ba")],
            "order",
            [0, 2],
        ),
        "equal texts, one too many": (
            [append(0, 1, "a"), append(2, 3, "a"), get(4, 5, "a"), append(6, 7, "a")],
            "stale-read",
            [0, 1, 2],
        ),
    },
    large=large,
    defects={
        "an append lost": lost_append,
        "two appends swapped": swapped,
        "a get that is late": stale,
        "something nobody wrote": phantom,
        "an append shown twice": doubled,
        "a text from before the put": from_before_the_put,
    },
    initial="",
)
