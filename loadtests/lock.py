"""The workload `lock`: all clients take the lock, work and release it; there is no final state to read.

The lab's own app does all three in one request. Of another app the client takes the lock with one request and releases
it with another, and holds it for a moment in between.
"""

from itertools import pairwise

import gevent

from meanings import NOTHING_SEEN, Operations, answered
from recording import RecordingClient
from statelab.core.ask import BUSY
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result

HELD_S = 0.02
LONGEST_S = 0.2
"""A client holds the lock for twice as long as the last release took (before the first release: as its own acquire
took), at least HELD_S and at most LONGEST_S, so that two holders would meet."""

BUSY_S = 0.001
"""How long a client waits before it asks again for a lock that another one holds."""


_release_s: dict[str, float] = {}
"""By cell."""


def _took_s(operation: Operation) -> float:
    return ((operation.end or operation.start) - operation.start) / 1e9


def act(client: RecordingClient, cell: Cell) -> Operation:
    if not cell.asks:
        return client.change(cell.path, "work", key=cell.key, window=cell.window)
    taken = client.change(cell.path, "acquire", key=cell.key)
    if taken.status == "ok" and taken.result != BUSY:
        gevent.sleep(min(max(HELD_S, 2 * _release_s.get(cell.key, _took_s(taken))), LONGEST_S))
        _release_s[cell.key] = _took_s(client.change(cell.path, "release", key=cell.key, token=client.token))
    else:
        gevent.sleep(BUSY_S)
    return taken


def meaning(operations: Operations, final: list[Result]) -> str:
    """Counts overlaps: each answer says from when to when its request held the lock."""
    held = sorted(
        (int(operation.result[0]), int(operation.result[1]))
        for operation in answered(operations, "work")
        if isinstance(operation.result, list)
    )
    together = sum(enter < left for (_, left), (enter, _) in pairwise(held))
    return f"{together} times a request took the lock while another one held it" if together else NOTHING_SEEN
