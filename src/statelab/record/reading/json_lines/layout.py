"""Where the lines of a chunk are, and which of them are fit for patterns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from statelab.record.columns import Integers
from statelab.record.columns import Mask
from statelab.record.reading.json_lines.scan import Scanner

_SPACE = b" \t\r"


@dataclass(frozen=True)
class Layout:
    """Where each line begins and where it ends, without its line break; the data end with a line break."""

    data: bytes
    scanner: Scanner
    first: Integers
    stop: Integers

    @classmethod
    def of(cls, data: bytes) -> "Layout":
        scanner = Scanner(data)
        stop = np.flatnonzero(scanner.bytes[: len(data)] == ord("\n"))
        first = np.concatenate(([0], stop + 1))[:-1]
        return cls(data, scanner, first, stop - (scanner.bytes[stop - 1] == ord("\r")))

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, line: int) -> bytes:
        return self.data[self.first[line] : self.stop[line]]

    @cached_property
    def blank(self) -> Integers:
        """The lines in which nothing stands."""
        suspects = np.flatnonzero(self.scanner.bytes[self.first] != ord("{"))
        return np.array([line for line in suspects.tolist() if not self[line].strip(_SPACE)], np.int64)

    def plain(self) -> Mask:
        """The lines without backslashes, control characters and faulty UTF-8."""
        data = self.scanner.bytes[: len(self.data)]
        odd = data < ord(" ")
        odd[np.concatenate((self.stop, self.first - 1))] = False
        utf8 = _is_utf8(self.data)
        plain = np.ones(len(self.first), np.bool_)
        if odd.any() or b"\\" in self.data or not utf8:
            odd |= (data == ord("\\")) | (np.logical_not(utf8) & (data >= 0x80))
            plain[np.searchsorted(self.stop, np.flatnonzero(odd))] = False
        return plain


def _is_utf8(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
