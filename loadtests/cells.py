"""A cell as the load sees it, its stop rule, and the lines that the instrument and the load exchange."""

import time

import msgspec

from statelab.core.operation import Operation


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """What to do and when to stop.

    The load ends after `min_seconds` and `min_operations` and once as many processes have answered as are expected
    (`processes`, None: two different ones), but after `max_seconds` in any case. The rule looks at coverage, never at
    results, so it does not favour a verdict.
    """

    url: str
    workload: str
    mechanism: str
    window: str
    key: str
    processes: int | None
    servers: int
    min_seconds: float
    max_seconds: float
    min_operations: int
    audits: int

    @property
    def path(self) -> str:
        return f"{self.url}/{self.workload}/{self.mechanism}"


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The load's answer: how long the load lasted (s), operations answered, and how many got no answer in time."""

    key: str
    seconds: float
    answered: int
    timed_out: int


class Progress:
    """Counts what a cell has seen so far and says when its load is over."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._start = time.monotonic()
        self._boots: set[str] = set()
        self._threads: set[tuple[str, int, int]] = set()
        self.answered = 0
        self.timed_out = 0

    def note(self, operation: Operation) -> None:
        server = operation.served_by
        self.timed_out += operation.timed_out
        if server:
            self.answered += 1
            self._boots.add(server.boot)
            self._threads.add((server.boot, server.thread, server.greenlet))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def _covered(self) -> bool:
        processes = self._cell.processes or 2
        return len(self._boots) >= processes and len(self._threads) >= self._cell.servers

    def over(self) -> bool:
        if self.timed_out or self.seconds >= self._cell.max_seconds:
            return True
        enough = self.answered >= self._cell.min_operations and self.seconds >= self._cell.min_seconds
        return enough and self._covered()
