"""The workload `cache`: all clients read; now and then one of them updates twice in a row.

The first value takes long to compute, the second does not: a client that misses in between is still computing the first
value when the second is written. Meanwhile the others read less often, so that at least one process has time for the
second update.
"""

import random
import secrets
from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate, count

import gevent

from meanings import NOTHING_SEEN, Operations, answered
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result, Value

QUICK, SLOW = 0, 31
"""Remainders of the values modulo 32; the app takes one query more than that to compute a value."""

EVERY = 8
"""One of this many turns is an update."""

PAUSE_S = 0.01
"""Pause between the two updates, long enough for one or two other clients to miss."""

SELDOM_S = 0.04
"""While a client updates, the others wait up to this long before they read."""

_turns: defaultdict[str, "count[int]"] = defaultdict(count)
_updating: set[str] = set()


def _write(client: RecordingClient, cell: Cell, remainder: int) -> Operation:
    """Writes a unique value."""
    value = 32 * (1 + secrets.randbits(47)) + remainder
    return client.change(cell.path, "write", key=cell.key, window=cell.window, value=value)


def prepare(client: RecordingClient, cell: Cell) -> Operation:
    """Writes the first value, so that there is something to read."""
    return _write(client, cell, QUICK)


def act(client: RecordingClient, cell: Cell) -> Operation:
    if next(_turns[cell.key]) % EVERY == 0:
        _updating.add(cell.key)
        try:
            _write(client, cell, SLOW)
            gevent.sleep(PAUSE_S)
            return _write(client, cell, QUICK)
        finally:
            _updating.discard(cell.key)
    if cell.key in _updating:
        gevent.sleep(random.uniform(0, SELDOM_S))
    return audit(client, cell)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.read(cell.path, key=cell.key, window=cell.window)


def meaning(operations: Operations, final: list[Result]) -> str:
    """Counts reads that returned an older value than one that was acknowledged before the read started."""
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
    """The value that was read; a read that computed it also has two stamps."""
    value = read.result[0] if isinstance(read.result, list) and read.result else read.result
    return value if isinstance(value, int | str) else None
