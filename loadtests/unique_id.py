"""The workload `unique-id`: all clients ask for new ids; there is no final state to read."""

from meanings import NOTHING_SEEN, Operations, answered, twice
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "new-id", key=cell.key, window=cell.window)


def meaning(operations: Operations, final: list[Result]) -> str:
    again = twice(str(operation.result) for operation in answered(operations, "new-id"))
    return f"{again} ids had been given before" if again else NOTHING_SEEN
