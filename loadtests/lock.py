"""The workload `lock`: everybody takes the lock, works and gives it back; there is no final state to read."""

from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "work", key=cell.key, window=cell.window)
