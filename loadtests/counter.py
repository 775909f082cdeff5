"""The workload `counter`: all clients increment; when they have ended, the value is read back."""

from meanings import NOTHING_SEEN, Operations, answered, twice
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation, Result


def act(client: RecordingClient, cell: Cell) -> Operation:
    """One operation of the load, or many in one request."""
    many = {"times": cell.times} if cell.times > 1 else {}
    return client.change(cell.path, "increment", key=cell.key, window=cell.window, **many)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    """One read of the final value; several of them show whether there is one value at all."""
    return client.read(cell.path, key=cell.key)


def meaning(operations: Operations, final: list[Result]) -> str:
    increments = answered(operations, "increment")
    values = {value for value in final if isinstance(value, int)}
    if not values:
        return "the value could not be read"
    if len(values) > 1:
        return "reads disagree although there are no writes: several copies"
    missing = len(increments) - values.pop()
    if missing > 0:
        return f"{missing} acknowledged increments are missing"
    if twice(operation.result for operation in increments if isinstance(operation.result, int)):
        return "the total is right, the numbers handed out are not"
    if -missing > sum(operation.status == "info" for operation in operations):
        return "more was counted than was asked for"
    return NOTHING_SEEN
