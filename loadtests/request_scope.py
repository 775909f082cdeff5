"""The workload `request-scope`: everybody stores a value that nobody else has and reads it back (overlap); when all
have ended, everybody looks what is there without storing anything (residue)."""

import secrets

from meanings import echo
from recording import RecordingClient
from statelab.core.load import Cell
from statelab.core.operation import Operation


def _nonce() -> str:
    return secrets.token_hex(6)


def act(client: RecordingClient, cell: Cell) -> Operation:
    return client.change(cell.path, "echo", key=cell.key, window=cell.window, value=_nonce())


def audit(client: RecordingClient, cell: Cell) -> Operation:
    return client.ask(cell.path, "find", key=cell.key, value=_nonce())


meaning = echo
