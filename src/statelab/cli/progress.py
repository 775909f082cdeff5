"""Progress of a long command, and how it stops without being interrupted again."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

T = TypeVar("T")


class Tracker:
    """Shows the progress of a loop over `things`, and the time left, on a terminal; elsewhere one line for each
    tenth."""

    def __init__(self, console: Console, things: str = "cells") -> None:
        self._console, self._things = console, things

    def __call__(self, items: Iterable[T], text: str, total: int | None = None) -> Iterator[T]:
        """Yields the items. For an iterator, `total` must say how many there will be."""
        if total is None:
            items = list(items)
            total = len(items)
        if self._console.is_terminal:
            columns = (TextColumn(text), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left:"))
            with Progress(*columns, TimeRemainingColumn(), console=self._console, transient=True) as progress:
                yield from progress.track(items, total)
            return
        start = time.monotonic()
        step = max(1, total // 10)
        for done, item in enumerate(items):
            if done and done % step == 0:
                left = (time.monotonic() - start) / done * (total - done)
                told = f"{text}: {done} of {total} {self._things}, about {left:.0f} s left"
                self._console.print(told, highlight=False)
            yield item


@contextmanager
def until_stopped() -> Iterator[Callable[[], bytes]]:
    """In this context Ctrl-C and SIGTERM interrupt nothing. It yields a function that waits for one of them, and
    returns at once if one has already come (`signal.pause` would sleep on after a signal that came just before it)."""
    reader, writer = os.pipe()
    stops = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: os.write(writer, b".")) for number in stops}
    try:
        yield partial(os.read, reader, 1)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)


@contextmanager
def undisturbed() -> Iterator[None]:
    """In this context another Ctrl-C does not interrupt the stopping."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
