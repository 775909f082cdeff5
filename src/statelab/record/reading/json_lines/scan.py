"""Bytes that are read at many places at once: literals, integers and texts, eight bytes at a time.

Each function takes places (shape `(m,)`, one a line) and does for all of them what a parser does for one. Eight bytes
make one 64-bit word, lowest byte first, and the tests on its bytes are those of Mycroft 1987 and Lamport 1975,
"Multiple byte processing with full-word instructions".
"""

import numpy as np
from numpy.typing import NDArray

from statelab.record.columns import Integers
from statelab.record.columns import Mask

PADDING = 2048
"""How far behind the last line one may look; no line of a pattern is longer."""

LARGEST = 2**63 - 2
"""The largest integer that `integers` is sure of."""

_LONGEST_TEXT = 1024
_MOST_DIGITS = 19

Words = NDArray[np.uint64]


def _in_each_byte(byte: int) -> np.uint64:
    return np.uint64(byte * 0x0101010101010101)


_ONE, _HIGH = _in_each_byte(0x01), _in_each_byte(0x80)
_ZERO, _QUOTE, _ABOVE_NINE = _in_each_byte(ord("0")), _in_each_byte(ord('"')), _in_each_byte(0x80 - 10)
_TENS = np.array([10**digits for digits in range(9)], np.uint64)
_PAIRS, _LOW_HALF = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


def _before_first(marks: Words) -> Words:
    """How many bytes come before the first one that is marked by its highest bit: 0 to 8."""
    below: Words = np.bitwise_count((marks & -marks) - np.uint64(1)).astype(np.uint64)
    return below >> np.uint64(3)


def _eight_digits(word: Words) -> Words:
    """The number that eight decimal digits (values 0 to 9, first one lowest) make: pairs, fours, eight."""
    word = (word * np.uint64(10)) + (word >> np.uint64(8))
    word = (word & _PAIRS) * np.uint64(100) + ((word >> np.uint64(16)) & _PAIRS)
    return (word & _LOW_HALF) * np.uint64(10_000) + ((word >> np.uint64(32)) & _LOW_HALF) & np.uint64(0xFFFFFFFF)


class Scanner:
    """Looks at bytes; see the module. `size` is how many there are without the padding."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self.bytes = np.frombuffer(data + b"\n" * PADDING, np.uint8)
        self._words: Words = np.ndarray((len(self.bytes) - 7,), "<u8", self.bytes, strides=(1,))

    def literal(self, at: Integers, text: bytes) -> Mask:
        """Where exactly these bytes stand."""
        found = np.ones(len(at), np.bool_)
        for place in range(0, len(text), 8):
            part = text[place : place + 8]
            there = self._words[at + place] & np.uint64(2 ** (8 * len(part)) - 1)
            found &= there == np.uint64(int.from_bytes(part, "little"))
        return found

    def integers(self, at: Integers) -> tuple[Integers, Integers, Mask]:
        """The integers that stand there as JSON, how long they are, and where one is for sure.

        What follows is not looked at: `12.5` is 12 here. Beyond +-LARGEST nothing is sure.
        """
        minus = self.bytes[at] == ord("-")
        first = at + minus
        value, length = np.zeros(len(at), np.uint64), np.zeros(len(at), np.int64)
        for _ in range(3):
            word = self._words[first + length] ^ _ZERO
            digits = _before_first(((word + _ABOVE_NINE) | word) & _HIGH)
            shifted = word << (np.uint64(64) - (digits << np.uint64(3)))
            value = value * _TENS[digits] + _eight_digits(shifted)
            length += digits.astype(np.int64)
            if not (digits == 8).any():
                break
        leading_zero = (self.bytes[first] == ord("0")) & (length > 1)
        sure = (length > 0) & (length <= _MOST_DIGITS) & ~leading_zero & (value <= LARGEST)
        number = value.astype(np.int64)
        return np.where(minus, -number, number), length + minus, sure

    def texts(self, at: Integers) -> tuple[Integers, Mask]:
        """How long the texts are that begin there, up to the next quotation mark, and where one was found."""
        length = np.zeros(len(at), np.int64)
        for _ in range(0, _LONGEST_TEXT, 8):
            word = self._words[at + length] ^ _QUOTE
            before = _before_first((word - _ONE) & ~word & _HIGH)
            length += before.astype(np.int64)
            if not (before == 8).any():
                break
        return length, self.bytes[at + length] == ord('"')
