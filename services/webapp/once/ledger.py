"""The effects, as the outside world sees them: a line for each, never taken back."""

import os
import time

from webapp.world import Lines


def of(key: str) -> Lines:
    return Lines(f"{key}~ledger")


def note(key: str, work: str) -> None:
    """Records an effect: the name of the work, the process, and when."""
    of(key).append(f"{work} {os.getpid()} {time.monotonic_ns()}")


def entries(key: str) -> list[str]:
    """Every effect so far, `<work> <pid> <ns of CLOCK_MONOTONIC>`."""
    return of(key).since(0)[0]
