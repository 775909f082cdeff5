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
from statelab.record.columns import History
from statelab.record.memory import keep_freed
from statelab.record.reading.columnar import pa
from statelab.record.reading.consistency import require_own_ids
from statelab.record.reading.consistency import require_times
from statelab.record.reading.lines import sheet_of_lines
from statelab.record.reading.table import clients
from statelab.record.reading.table import row_number
from statelab.record.reading.table import sheet_of_table
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
    keep_freed()
    name = STANDARD_INPUT if str(source) == "-" else str(source)
    with opened(Path(source), name) as stream:
        head, whole = peeked(stream)
        if is_table := head == PARQUET:
            random_access = pa.PythonFile(whole, mode="r") if whole.seekable() else pa.BufferReader(whole.read())
            sheet, place = sheet_of_table(random_access, name, shapes), row_number
        else:
            sheet, place = sheet_of_lines(whole, name, shapes)
        require_own_ids(sheet, name, place, shapes.repeating)
        history = sheet.history(shapes.answers, ids_repeat=bool(shapes.repeating))
        require_times(history, name, place)
    keep_freed(large=history.size <= _ROOMY)
    return replace(history, processes=clients(history.processes)) if is_table else history


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
    return head, io.BufferedReader(_Rejoined(head, stream))


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
