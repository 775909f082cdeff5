"""The workload `rate-limit`: each client asks in turn under a name that all share and under a name of its own.

Under a shared name many ask at once, well beyond the limit, and then go on to the next one. Under its own name a client
sends one request after the other; processes that count by themselves then let too many through.
"""

from collections import defaultdict
from itertools import count

from meanings import more_than
from recording import RecordingClient
from statelab.core.load import LIMIT, Cell
from statelab.core.operation import Operation

HITS = 6
"""Requests under one name before the next name: three times the limit."""

_asked: defaultdict[tuple[str, str], "count[int]"] = defaultdict(count)


def act(client: RecordingClient, cell: Cell) -> Operation:
    alone = next(_asked[cell.key, f"turns-{client.process}"]) % 2
    whose = f"own-{client.process}" if alone else "shared"
    number = next(_asked[cell.key, whose]) // HITS
    return client.change(cell.path, "hit", key=f"{cell.key}.{whose}.{number}", window=cell.window, limit=LIMIT)


meaning = more_than(LIMIT, "hit", "more requests were let through than the limits allow")
