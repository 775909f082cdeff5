"""How far a long command is, and how it ends undisturbed."""

import signal
import time
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn
from rich.progress import TimeRemainingColumn


class Tracker:
    """Shows how far a loop is, with what is left, on a terminal; one line a tenth otherwise."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, items: Iterable[Any], text: str) -> Iterator[Any]:
        listed = list(items)
        if self._console.is_terminal:
            columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:"))
            with Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True) as progress:
                yield from progress.track(listed)
        else:
            yield from self._in_lines(listed, text)

    def _in_lines(self, listed: list[Any], text: str) -> Iterator[Any]:
        start = time.monotonic()
        step = max(1, len(listed) // 10)
        for done, item in enumerate(listed):
            if done and done % step == 0:
                left = (time.monotonic() - start) / done * (len(listed) - done)
                self._console.print(f"{text}: {done} of {len(listed)} cells, about {left:.0f} s left", highlight=False)
            yield item


@contextmanager
def undisturbed() -> Iterator[None]:
    """Stopping is not interrupted by another Ctrl-C."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
