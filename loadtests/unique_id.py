"""The workload `unique-id`: everybody asks for a new id; there is no final state to read."""

from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "new-id", key=cell.key, window=cell.window)
