"""The way from a file, or standard input, to a history; gzip and zstd are told by their first bytes."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from typing import Literal

from statelab.core.errors import BadInput
from statelab.record.coding import pa
from statelab.record.columns import History
from statelab.record.memory import keep_freed
from statelab.record.reading.consistency import Place
from statelab.record.reading.consistency import require_own_ids
from statelab.record.reading.consistency import require_times
from statelab.record.reading.lines import sheet_of_lines
from statelab.record.reading.sheet import Sheet
from statelab.record.reading.table import clients
from statelab.record.reading.table import row_number
from statelab.record.reading.table import sheet_of_table
from statelab.record.reading.table import unit_of_table
from statelab.record.shapes import Shapes

PARQUET = b"PAR1"
STANDARD_INPUT = "standard input"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_FEW = 4

_ROOMY = 2**29
"""Bytes of a history up to which it is judged fast, and beyond in as little memory as possible."""


def read(source: Path | Literal["-"], shapes: Shapes) -> History:
    """The history in a file (JSON Lines or Parquet, plain, gzip or zstd) or on standard input (`-`).

    It conforms to the shapes of the model. Raises BadInput with one line: file, line (Parquet: row), what is wrong.
    """
    name = name_of(str(source))
    with opened(Path(source), name) as stream:
        return read_stream(stream, name, shapes)


def name_of(source: str) -> str:
    """What a file, or standard input (`-`), is called in messages."""
    return STANDARD_INPUT if source == "-" else source


def read_stream(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    """The same of what is open already, as `opened` opens it."""
    keep_freed()
    head, whole = peeked(stream)
    if head == PARQUET:
        random_access = pa.PythonFile(whole, mode="r") if whole.seekable() else pa.BufferReader(whole.read())
        history = checked(sheet_of_table(random_access, name, shapes), name, row_number, shapes)
        history = replace(history, processes=clients(history.processes), unit=unit_of_table(random_access))
    else:
        sheet, place = sheet_of_lines(whole, name, shapes)
        history = replace(checked(sheet, name, place, shapes), unit=None)
    keep_freed(large=history.size <= _ROOMY)
    return history


def checked(sheet: Sheet, name: str, place: Place, shapes: Shapes) -> History:
    """The history of a sheet; raises BadInput for what no single operation shows. `place` names where a row stood."""
    require_own_ids(sheet, name, place, shapes.repeating)
    history = sheet.history(shapes.answers, ids_repeat=bool(shapes.repeating))
    require_times(history, name, place)
    return history


class _Rejoined(io.RawIOBase):
    """What was read from a stream to look at it, and then the rest of the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        read = self._head[: len(buffer)] or self._stream.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(read)] = read
        return len(read)


def peeked(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """The first bytes of a stream, and the whole of it again."""
    head = stream.read(_FEW)
    if stream.seekable():
        stream.seek(0)
        return head, stream
    return head, rejoined(head, stream)


def rejoined(head: bytes, stream: BinaryIO) -> BinaryIO:
    """What was read from a stream, and then the rest of the stream."""
    return io.BufferedReader(_Rejoined(head, stream))


def _decompressed(stream: BinaryIO) -> BinaryIO:
    head, whole = peeked(stream)
    if head.startswith(_GZIP):
        return io.BufferedReader(gzip.GzipFile(fileobj=whole))
    if head.startswith(_ZSTD):
        plain: BinaryIO = pa.CompressedInputStream(pa.PythonFile(whole, mode="r"), "zstd")
        return plain
    return whole


@contextmanager
def opened(source: Path, name: str) -> Iterator[BinaryIO]:
    """The decompressed bytes of a file (`-`: standard input). Raises BadInput where they cannot be had, to the end."""
    try:
        with sys.stdin.buffer if name == STANDARD_INPUT else source.open("rb") as stream:
            yield _decompressed(stream)
    except FileNotFoundError:
        raise BadInput(f"{name}: no such file") from None
    except IsADirectoryError:
        raise BadInput(f"{name} is a folder; name a file in it") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{name}: the gzip data are damaged or cut short ({error})") from None
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror or f'cannot be decompressed ({error})'}") from None
