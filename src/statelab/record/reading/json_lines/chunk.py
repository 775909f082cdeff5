"""Some lines of a file: most of them at once, by patterns, and the others one by one."""

from dataclasses import dataclass

import numpy as np

from statelab.core.operation import Operation
from statelab.record.columns import Integers
from statelab.record.reading.columnar.sheet import Sheet
from statelab.record.reading.json_lines.batch import Batch
from statelab.record.reading.json_lines.layout import Layout
from statelab.record.reading.json_lines.one_line import record
from statelab.record.reading.json_lines.pattern import Path
from statelab.record.reading.json_lines.pattern import Pattern
from statelab.record.reading.json_lines.pattern import pattern_of
from statelab.record.reading.json_lines.row_buffer import PLAIN
from statelab.record.reading.json_lines.row_buffer import Taken
from statelab.record.reading.json_lines.row_buffer import answer_of
from statelab.record.reading.json_lines.row_buffer import fixed_numbers
from statelab.record.reading.rules import SERVER_FIELDS
from statelab.record.reading.rules import VALUES
from statelab.record.reading.strict import Refused
from statelab.record.reading.strict import Taker
from statelab.record.shapes import Shapes

_WORTH_A_PATTERN = 32
_MOST_NEW_PATTERNS = 16


class RefusedLine(Exception):
    """What is wrong in one line; `line` counts from 0 in its chunk."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


@dataclass(frozen=True, slots=True)
class ReadLines:
    """What was read of a chunk: its operations, which of its lines are blank, and how many lines it has."""

    sheet: Sheet
    blank: list[int]
    lines: int


class LineReader:
    """Reads the lines of one file for a model. A pattern that was found in some of them serves the others too."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.patterns: list[Pattern] = []
        self._taker = Taker(shapes)

    def read(self, data: bytes) -> ReadLines:
        """The operations in some lines, which all end with a line break. May run in several threads.

        Raises RefusedLine for the first line that is not an operation of the model.
        """
        chunk = _Chunk(self, data)
        return ReadLines(chunk.sheet(), chunk.lines.blank.tolist(), len(chunk.lines))

    def take(self, line: bytes) -> Operation:
        """One line; raises Refused."""
        return self._taker.take(record(line))

    def pattern(self, line: bytes) -> Pattern | None:
        """The pattern of a line that has no backslash; raises Refused."""
        operation = self.take(line)
        same: tuple[Path, ...] = (("op",), ("status",))
        values = [(field,) for field in VALUES if getattr(operation, field) is not None]
        if answer_of(operation, self.shapes) is not None:
            same += (("result",),)
        taken = [*((field,) for field in PLAIN), *values, *(("served_by", name) for name in SERVER_FIELDS)]
        return pattern_of(line, fixed_numbers(operation, self.shapes), taken, same)


class _Chunk:
    """One chunk on its way to a sheet; a row is an operation, and `line[row]` its line."""

    def __init__(self, reader: LineReader, data: bytes) -> None:
        self._reader = reader
        self.lines = Layout.of(data)
        self._line = np.delete(np.arange(len(self.lines.first)), self.lines.blank)
        self._first, self._stop = self.lines.first[self._line], self.lines.stop[self._line]
        self._batch = Batch(len(self._line))

    def sheet(self) -> Sheet:
        plain = self.lines.plain()[self._line]
        left = self._by_new_patterns(self._by_patterns(np.flatnonzero(plain), list(self._reader.patterns)))
        taken = Taken(self._reader.shapes, len(self._line), len(self.lines.scanner.bytes))
        for row in np.sort(np.concatenate((left, np.flatnonzero(~plain)))).tolist():
            taken.put(row, self._take(row))
        texts = np.concatenate((self.lines.scanner.bytes, taken.fill(self._batch)))
        return self._batch.sheet(texts, tuple(self._reader.shapes.operations), taken.lists())

    def _take(self, row: int) -> Operation:
        line = int(self._line[row])
        try:
            return self._reader.take(self.lines[line])
        except Refused as refused:
            raise RefusedLine(line, str(refused)) from None

    def _by_patterns(self, rows: Integers, patterns: list[Pattern]) -> Integers:
        """Reads what follows one of the patterns, and returns the rows that follow none."""
        for pattern in patterns:
            if len(rows):
                rows = pattern.fill(self._batch, self.lines.scanner, rows, self._first, self._stop)
        return rows

    def _by_new_patterns(self, rows: Integers) -> Integers:
        """The same with patterns that are found now, as long as there are enough rows for that to be worth it."""
        skipped = 0
        for _ in range(_MOST_NEW_PATTERNS):
            if len(rows) - skipped < _WORTH_A_PATTERN:
                break
            try:
                pattern = self._reader.pattern(self.lines[int(self._line[rows[skipped]])])
            except Refused:
                break  # which line is the first to be refused is found out one by one
            before, rows = len(rows), rows if pattern is None else self._by_patterns(rows, [pattern])
            if pattern and before - len(rows) >= _WORTH_A_PATTERN:
                self._reader.patterns.append(pattern)
            skipped += before == len(rows)
        return rows
