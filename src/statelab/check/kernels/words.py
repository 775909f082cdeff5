"""The words that all proofs share: operations by letter, who served them, and when."""

import string
from collections.abc import Sequence

from statelab.core.errors import counted, listed
from statelab.core.operation import Unit
from statelab.record.columns import INF, History

_SHOWN: dict[Unit, tuple[float, int, str]] = {
    "ns": (1e6, 3, "ms"),
    "us": (1e3, 3, "ms"),
    "ms": (1, 0, "ms"),
    "s": (1, 0, "s"),
}
"""For each unit of time: how many make one of the unit that is shown, its decimals, and its name."""


def span(duration: int, unit: Unit | None, largest: int | None = None) -> str:
    """A time in words: `1.250 ms`; `3 units` if the unit is not known; `3 events` if there is no clock.

    Nanoseconds are shown as such if the `largest` time that is told with it, or else the time itself, is below 1,000.
    """
    if unit is None or unit == "event":
        return counted(duration, unit or "unit")
    if unit == "ns" and 0 < (largest or duration) < 1000:
        return f"{duration:,} ns"
    count, decimals, name = _SHOWN[unit]
    return f"{duration / count:,.{decimals}f} {name}"


def milliseconds(duration_ns: int) -> str:
    return span(duration_ns, "ns")


ALL_NAMED = 6
"""Up to so many operations of a proof are all named; of more, only the first three and the last are."""


def named(rows: Sequence[int]) -> Sequence[int]:
    """The operations of a proof that are named."""
    return rows if len(rows) <= ALL_NAMED else [*rows[:3], rows[-1]]


class Cast:
    """The operations of a proof by name: A, B, ... in order of their start, times relative to the first one's start."""

    def __init__(self, history: History, rows: Sequence[int]) -> None:
        self.rows = sorted(rows, key=lambda row: (int(history.start[row]), int(history.end[row])))
        self._history = history
        self._zero = int(history.start[self.rows[0]])
        ends = [int(history.end[row]) for row in self.rows if history.end[row] != INF]
        self._largest = max([*ends, int(history.start[self.rows[-1]])]) - self._zero
        self._servers = [server for server in (history.servers[history.served_by[row]] for row in self.rows) if server]

    def name(self, row: int) -> str:
        place = self.rows.index(row)
        return string.ascii_uppercase[place] if place < 26 else f"operation {place + 1}"

    def is_read(self, row: int) -> bool:
        return bool(self._history.is_op("read")[row])

    def value(self, row: int) -> int:
        return int(self._history.result[row])

    def showed(self, row: int) -> str:
        """`was told 17`, `read 17` or `read nothing`."""
        value = f"{self.value(row):,}" if self._history.has_result[row] else "nothing"
        return f"{'read' if self.is_read(row) else 'was told'} {value}"

    def told(self, row: int) -> str:
        """`A was told 17`."""
        return f"{self.name(row)} {self.showed(row)}"

    def span(self, duration: int) -> str:
        """A time in words, such as `1.250 ms`."""
        return span(duration, self._history.unit, self._largest)

    def facts(self, row: int) -> str:
        """`pid 12, thread 3, from 0.000 to 2.310 ms`: who served it, if that is known, and when, of any row."""
        server, known = self._history.servers[self._history.served_by[row]], list[str]()
        if server:
            if any(other.host != server.host for other in self._servers):
                known.append(f"host {server.host}")
            known += [f"pid {server.pid}", f"thread {server.thread}"]
            if server.greenlet:
                known.append(f"greenlet …{server.greenlet % 1_000_000:06}")  # an address: its end tells them apart
        if len(self._history.keys) > 1:
            known.append(f"key {self._history.keys[self._history.key[row]]}")
        start, end = self.span(int(self._history.start[row]) - self._zero), int(self._history.end[row])
        if end == INF:
            return ", ".join([*known, f"from {start} on, without an answer"])
        return ", ".join([*known, f"from {start.partition(' ')[0]} to {self.span(end - self._zero)}"])

    def introductions(self, rows: Sequence[int] | None = None) -> str:
        """`A: pid 12, thread 3, from 0.000 to 2.310 ms. B: ...`, of some rows or of all."""
        return " ".join(f"{self.name(row)}: {self.facts(row)}." for row in (self.rows if rows is None else rows))

    def together(self, rows: Sequence[int], thing: str) -> str:
        """`B`, `B and C`, `B, C and D`, or `401 increments (A, B, C, ... and operation 401)`."""
        names = [self.name(row) for row in named(rows)]
        if len(rows) > ALL_NAMED:
            return f"{counted(len(rows), thing)} ({', '.join(names[:-1])}, ... and {names[-1]})"
        return listed(names, "and")

    def overlap(self, one: int, other: int) -> bool:
        start, end = self._history.start, self._history.end
        return bool(max(start[one], start[other]) <= min(end[one], end[other]))
