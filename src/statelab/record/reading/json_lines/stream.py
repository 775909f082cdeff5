"""JSON Lines: chunks of whole lines, read by as many threads as there are cores."""

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from statelab.core.errors import BadInput
from statelab.record.reading.columnar.merge import merged
from statelab.record.reading.columnar.ordered import in_order
from statelab.record.reading.columnar.sheet import Sheet
from statelab.record.reading.json_lines.chunk import LineReader
from statelab.record.reading.json_lines.chunk import RefusedLine
from statelab.record.shapes import Shapes

BLOCK = 2**22
"""So many bytes are read at once."""


class Stream(Protocol):
    """What bytes can be read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class LineNumbers:
    """The line (from 1) of each row: `blank[i]` is the row that comes after the i-th line that was left out."""

    blank: list[int]

    def __call__(self, row: int) -> str:
        return f"line {row + 1 + bisect_right(self.blank, row)}"


def sheet_of_lines(stream: Stream, name: str, shapes: Shapes) -> tuple[Sheet, LineNumbers]:
    """All operations of a stream of lines; raises BadInput."""
    sheets, blank, line, row = deque[Sheet](), list[int](), 0, 0
    chunks = in_order(LineReader(shapes).read, _chunks(stream))
    while True:
        try:
            chunk = next(chunks, None)
        except RefusedLine as refused:
            raise BadInput(f"{name}, line {line + refused.line + 1}: {refused}") from None
        if chunk is None:
            break
        blank += [row + place - skipped for skipped, place in enumerate(chunk.blank)]
        sheets.extend([chunk.sheet] if len(chunk.sheet) else [])
        line, row = line + chunk.lines, row + len(chunk.sheet)
    if not row:
        raise BadInput(f"{name}: no operations in it")
    return merged((sheets.popleft() for _ in range(len(sheets))), row), LineNumbers(blank)


def _chunks(stream: Stream) -> Iterator[bytes]:
    """The bytes of a stream in parts of whole lines, each of which ends with a line break, even the last."""
    begun: list[bytes] = []
    while block := stream.read(BLOCK):
        lines, newline, rest = block.rpartition(b"\n")
        if newline:
            yield b"".join((*begun, lines, newline))
            begun.clear()
        begun.append(rest)
    if any(begun):
        yield b"".join((*begun, b"\n"))
