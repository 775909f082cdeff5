"""The workload `counter`: everybody increments; when all have ended, the value is read back."""

from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation


def act(client: RecordingClient, cell: Cell) -> Operation:
    """One operation of the load."""
    return client.change(cell.path, "increment", key=cell.key, window=cell.window)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    """One read of the final value; several of them show whether there is one value at all."""
    return client.read(cell.path, key=cell.key)
