"""The workload `connection`: each client sends unique values and reads what comes back.

The audit opens a connection of its own, to show that the store is up. Before and after the load, when no request is
running, the connections are counted at the server.
"""

import secrets

import gevent

from meanings import echo
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation

PATIENCE = 10
"""How often connections are counted again if there are too many: a server needs time to end a closed connection."""

PAUSE_S = 0.05

_before: dict[str, int] = {}
"""Connections before the load, by cell."""


def _value() -> int:
    return 1 + secrets.randbits(52)


def _left(client: RecordingClient, cell: Cell) -> tuple[int, int] | None:
    """Connections at the server, and how many a process may keep; None if they cannot be counted."""
    answer = client.ask(cell.path, "left", key=cell.key).result
    return (int(answer[0]), int(answer[1])) if isinstance(answer, list) else None


def prepare(client: RecordingClient, cell: Cell) -> None:
    counted = _left(client, cell)
    if counted:
        _before[cell.key] = counted[0]


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "echo", key=cell.key, window=cell.window, value=_value())


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.ask(cell.path, "probe", key=cell.key, value=_value())


def finish(client: RecordingClient, cell: Cell) -> None:
    if cell.key not in _before:
        return
    for _ in range(PATIENCE):
        counted = _left(client, cell)
        if counted and counted[0] <= _before[cell.key] + counted[1] * (cell.processes or 1):
            return
        gevent.sleep(PAUSE_S)


meaning = echo
