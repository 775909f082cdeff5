"""One operation of a history, and its JSON Lines form, in which the load passes it to the instrument.

To record, the load imports nothing of the instrument but core, so it needs only msgspec.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

Status = Literal["ok", "fail", "info"]
Unit = Literal["ns", "us", "ms", "s", "event"]
"""What the stamps of a history count: a unit of time, or the events of the history in their order."""
UNITS: tuple[Unit, ...] = ("ns", "us", "ms", "s", "event")
Value = int | str
Result = int | str | bool | list[Value] | None


class ServedBy(msgspec.Struct, frozen=True):
    """Who answered: ids as the server reported them; `boot` is new at each process start."""

    host: str
    pid: int
    thread: int
    greenlet: int
    boot: str


class Operation(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One request seen from the calling client: the closed interval [start, end] and its outcome.

    `start` and `end` are ns of CLOCK_MONOTONIC; `start` is stamped before the first byte is sent and `end` after the
    last one was read, so the effect lies between them. `a` precedes `b` only if a.end < b.start. `end` is None where
    the outcome is unknown (`info`): the effect may come at any later time, or never. `process` is a logical client that
    does one operation at a time. Where the operation has them, `value` is what it wrote, `expected` what a `cas` was to
    replace, and `seen` what a `cas` that answered false found instead.
    """

    process: int | str
    op: str
    start: int
    end: int | None
    status: Status
    key: str = ""
    result: Result = None
    value: Value | None = None
    expected: Value | None = None
    seen: Value | None = None
    op_id: str | None = None
    served_by: ServedBy | None = None
    error: str | None = None
    timed_out: bool = False


FIELDS = ("value", "expected", "op_id")
"""Parameters of a request that are also fields of its operation."""

UNIT_HEADER = b'{"unit":"ns"}\n'
"""The first line of a history that is written for other readers: the unit of its stamps."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Operation)


def encode_line(operation: Operation) -> bytes:
    """One JSON line, newline included."""
    return _encoder.encode(operation) + b"\n"


def decode_lines(lines: Iterable[bytes]) -> Iterator[Operation]:
    """The operations of JSON lines; raises msgspec.DecodeError on one that is not an operation."""
    return (_decoder.decode(line) for line in lines if line.strip() and line != UNIT_HEADER.strip())


def read_recording(path: Path) -> list[Operation]:
    """The operations a load process wrote; a last line cut short by a kill is left out."""
    lines = path.read_bytes().split(b"\n")
    return list(decode_lines(lines[:-1]))


RECORDINGS = "history-*.jsonl"
"""The files of a run's folder of recordings: one for each process that loads."""


class Growing:
    """The recordings of a folder while they are being written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def new(self) -> list[Operation]:
        """The operations recorded since the last call. A last line that is incomplete is returned by a later call."""
        found: list[Operation] = []
        for recording in sorted(self._folder.glob(RECORDINGS)):
            with recording.open("rb") as file:
                file.seek(self._read.get(recording, 0))
                lines = file.read()
            whole = lines[: lines.rfind(b"\n") + 1]
            self._read[recording] = self._read.get(recording, 0) + len(whole)
            found += decode_lines(whole.splitlines())
        return found
