"""Opens files and standard input as streams of bytes, and reads our own lines and tables from them.

gzip, zstd and Parquet are recognised by their first bytes.
"""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal

from statelab.core.errors import BadInput
from statelab.record.coding import pa
from statelab.record.columns import History
from statelab.record.reading import read_lines, read_table
from statelab.record.shapes import Shapes

PARQUET = b"PAR1"
STANDARD_INPUT = "standard input"

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_FEW = 4


def name_of(source: str) -> str:
    """What a file, or standard input (`-`), is called in messages."""
    return STANDARD_INPUT if source == "-" else source


def read(source: Path | Literal["-"], shapes: Shapes) -> History:
    """The history in a file of our own (JSON Lines or Parquet, plain, gzip or zstd) or on standard input (`-`).

    Raises BadInput with one line: file, line (Parquet: row), what is wrong.
    """
    name = name_of(str(source))
    with opened(Path(source), name) as stream:
        return read_stream(stream, name, shapes)


def read_stream(stream: BinaryIO, name: str, shapes: Shapes) -> History:
    """The same for a stream that `opened` has opened."""
    head, whole = peeked(stream)
    return (read_table if head == PARQUET else read_lines)(whole, name, shapes)


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


@contextmanager
def opened(source: Path, name: str) -> Iterator[BinaryIO]:
    """The decompressed bytes of a file (`-`: standard input). Raises BadInput where they cannot be had, to the end."""
    try:
        with sys.stdin.buffer if name == STANDARD_INPUT else source.open("rb") as stream:
            head, whole = peeked(stream)
            if head.startswith(_GZIP):
                whole = io.BufferedReader(gzip.GzipFile(fileobj=whole))
            elif head.startswith(_ZSTD):
                whole = io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(whole, mode="r"), "zstd"))
            yield whole
    except FileNotFoundError:
        raise BadInput(f"{name}: no such file") from None
    except IsADirectoryError:
        raise BadInput(f"{name} is a folder; name a file in it") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"{name}: the gzip data are damaged or cut short ({error})") from None
    except OSError as error:
        raise BadInput(f"{name}: {error.strerror or f'cannot be decompressed ({error})'}") from None
