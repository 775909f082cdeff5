"""The workload `once`: two clients send each request at once, with the same body; then the ledger is read."""

from collections import Counter

from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation

TIMES = 2
"""How often each request is sent."""

_sent: Counter[str] = Counter()
"""By cell."""


def act(client: RecordingClient, cell: Cell) -> Operation:
    """The first try, or the one that somebody else had no patience to wait for."""
    number = _sent[cell.key] // TIMES
    _sent[cell.key] += 1
    op_id = f"request-{number}"
    return client.change(cell.path, "execute", key=cell.key, window=cell.window, op_id=op_id, body=f"pay-{number}")


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.read(cell.path, key=cell.key)
