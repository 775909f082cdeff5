"""The workload `once`: two clients send each request at the same time, with the same body; then the ledger is read."""

from collections import Counter

from meanings import NOTHING_SEEN, Operations, twice
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result

TIMES = 2
"""How often each request is sent."""

_sent: Counter[str] = Counter()
"""By cell."""


def act(client: RecordingClient, cell: Cell) -> Operation:
    """Sends a new request, or sends the last one again."""
    number = _sent[cell.key] // TIMES
    _sent[cell.key] += 1
    op_id = f"{cell.key}-request-{number}" if cell.asks else f"request-{number}"  # an app may keep names for ever
    return client.change(cell.path, "execute", key=cell.key, window=cell.window, op_id=op_id, body=f"pay-{number}")


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.read(cell.path, key=cell.key)


def meaning(operations: Operations, final: list[Result]) -> str:
    """Counts repeated effects: each entry of the ledger begins with the name of its work."""
    ledger = max((entries for entries in final if isinstance(entries, list)), key=len, default=[])
    again = twice(str(entry).split()[0] for entry in ledger)
    if again:
        return f"{again} effects of work that had taken effect before"
    return NOTHING_SEEN if ledger else "the ledger is empty, or could not be read"
