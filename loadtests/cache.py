"""The workload `cache`: everybody reads; now and then somebody updates twice in a row.

The first of the two is a page that takes long to compute, the second one that does not: who missed in between is still
at work on the first when the second is there. Meanwhile the others read less often, so that one process at least has
time for the second update.
"""

import random
import secrets
from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate
from itertools import count

import gevent

from meanings import NOTHING_SEEN
from meanings import Operations
from meanings import answered
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation
from statelab.core.operation import Result
from statelab.core.operation import Value

QUICK, SLOW = 0, 31
"""Values leave these remainders of 32; the app takes one query more to compute them."""

EVERY = 8
"""One of so many turns updates."""

PAUSE_S = 0.01
"""Between the two updates: time enough for one or two others to miss."""

SELDOM_S = 0.04
"""While somebody updates, the others wait up to so long before they read."""

_turns: defaultdict[str, "count[int]"] = defaultdict(count)
_updating: set[str] = set()


def _write(client: RecordingClient, cell: Cell, remainder: int) -> Operation:
    """Writes a value that nobody else writes."""
    value = 32 * (1 + secrets.randbits(47)) + remainder
    return client.change(cell.path, "write", key=cell.key, window=cell.window, value=value)


def _sleep(seconds: float) -> None:
    gevent.sleep(seconds)


def _update_twice(client: RecordingClient, cell: Cell) -> Operation:
    _updating.add(cell.key)
    try:
        _write(client, cell, SLOW)
        _sleep(PAUSE_S)
        return _write(client, cell, QUICK)
    finally:
        _updating.discard(cell.key)


def prepare(client: RecordingClient, cell: Cell) -> Operation:
    """The first value: before it there is nothing to read."""
    return _write(client, cell, QUICK)


def act(client: RecordingClient, cell: Cell) -> Operation:
    if next(_turns[cell.key]) % EVERY == 0:
        return _update_twice(client, cell)
    if cell.key in _updating:
        _sleep(random.uniform(0, SELDOM_S))
    return audit(client, cell)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.read(cell.path, key=cell.key, window=cell.window)


def meaning(operations: Operations, final: list[Result]) -> str:
    """Of two updates, the second begun when the first was acknowledged, nobody reads the first after the second."""
    done = sorted((write.end or 0, write.start) for write in answered(operations, "write"))
    ends = [end for end, _ in done]
    newest = [0, *accumulate((start for _, start in done), max)]
    written = {write.value: write.end for write in operations if write.op == "write"}
    old = sum(
        (written.get(_read_value(read)) or read.start) < newest[bisect_left(ends, read.start)]
        for read in answered(operations, "read")
    )
    return f"{old} reads returned an older value after an update had been acknowledged" if old else NOTHING_SEEN


def _read_value(read: Operation) -> Value | None:
    """One that computed its value says beside it when it did."""
    told = read.result[0] if isinstance(read.result, list) and read.result else read.result
    return told if isinstance(told, int | str) else None
