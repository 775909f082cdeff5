"""The workload `cache`: three of four requests read by way of the cache, one writes a value that nobody else writes."""

import random
import secrets

from cells import Cell
from recording import RecordingClient
from statelab.history import Operation

WRITES = 0.25


def _write(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "write", key=cell.key, window=cell.window, value=1 + secrets.randbits(52))


def prepare(client: RecordingClient, cell: Cell) -> Operation:
    """The first value: before it there is nothing to read."""
    return _write(client, cell)


def act(client: RecordingClient, cell: Cell) -> Operation:
    return _write(client, cell) if random.random() < WRITES else audit(client, cell)


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.read(cell.path, key=cell.key, window=cell.window)
