"""The workload `connection`: everybody sends a value that nobody else sends, and takes what comes back.

The audit sends over a connection of its own: it shows that the store is up.
"""

import secrets

from cells import Cell
from recording import RecordingClient
from statelab.history import Operation


def _value() -> int:
    return 1 + secrets.randbits(52)


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "echo", key=cell.key, window=cell.window, value=_value())


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.ask(cell.path, "probe", key=cell.key, value=_value())
