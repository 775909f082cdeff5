"""The workload `request-scope`: each client stores unique values and reads them back (overlap); when all have ended,
each client reads without storing anything (residue)."""

import secrets

from meanings import echo
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation


def _nonce() -> str:
    return secrets.token_hex(6)


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "echo", key=cell.key, window=cell.window, value=_nonce())


def audit(client: RecordingClient, cell: Cell) -> Operation | None:
    return client.ask(cell.path, "find", key=cell.key, value=_nonce()) if cell.has("find") else None


meaning = echo
