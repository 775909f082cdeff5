"""How far a cell is, and when its load is over."""

import time

from statelab.core.load import Cell
from statelab.core.operation import Operation


class Progress:
    """What a cell's load has reached so far: answers, time-outs, and which processes and threads have answered."""

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
        self.answered += bool(server) or operation.status == "ok"
        if server:
            self._boots.add(server.boot)
            self._threads.add((server.boot, server.thread, server.greenlet))

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def over(self) -> bool:
        """Whether there was a time-out, time is up, or there was enough load and every server has answered."""
        if self.timed_out or self.seconds >= self._cell.max_seconds:
            return True
        if self.answered < self._cell.min_operations or self.seconds < self._cell.min_seconds:
            return False
        return len(self._boots) >= (self._cell.processes or 2) and len(self._threads) >= self._cell.servers
