"""Windows: what happens between the read and the write of an update that is not atomic."""

import time
from collections.abc import Callable
from dataclasses import dataclass


def _call() -> None:
    """One Python call: a place where CPython may switch threads."""


def _yield() -> None:
    """A switch point for threads and greenlets alike (gevent patches `time.sleep`)."""
    time.sleep(0)


def _io() -> None:
    """Waits 2 ms, like a query to another system."""
    time.sleep(0.002)


@dataclass(frozen=True, slots=True)
class Window:
    """Called between a read and a write, to let other requests in.

    Mechanisms whose update cannot be interrupted from outside call it before the update, so that each request does
    the same work. `tight` means that nothing at all may stand there, not even the call: a mechanism in process memory
    then uses the plain augmented assignment.
    """

    name: str
    pause: Callable[[], None]

    @property
    def tight(self) -> bool:
        return self.name == "tight"

    def __call__(self) -> None:
        if not self.tight:
            self.pause()


WINDOWS = {
    window.name: window
    for window in (Window("tight", _call), Window("call", _call), Window("yield", _yield), Window("io", _io))
}
