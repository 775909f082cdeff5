"""The workload `lock`: all clients take the lock, work and release it; there is no final state to read."""

from itertools import pairwise

from meanings import NOTHING_SEEN
from meanings import Operations
from meanings import answered
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation
from statelab.core.operation import Result


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "work", key=cell.key, window=cell.window)


def meaning(operations: Operations, final: list[Result]) -> str:
    """Counts overlaps: each answer says from when to when its request held the lock."""
    held = sorted(
        (int(operation.result[0]), int(operation.result[1]))
        for operation in answered(operations, "work")
        if isinstance(operation.result, list)
    )
    together = sum(enter < left for (_, left), (enter, _) in pairwise(held))
    return f"{together} times a request took the lock while another one held it" if together else NOTHING_SEEN
