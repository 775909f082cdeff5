"""The effects, as the outside world sees them: a line in a file for each, never taken back."""

import math
import os
import time
from pathlib import Path

from webapp.settings import SETTINGS


def path(key: str) -> Path:
    return SETTINGS.state_dir / f"{key}~ledger"


def append(file: Path, line: str) -> None:
    """One write of one line: appending is atomic for the processes of a host."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def age_s(file: Path) -> float:
    """Seconds since the last line was appended; infinite if there is none."""
    return time.time() - file.stat().st_mtime if file.exists() else math.inf


def note(key: str, work: str) -> None:
    """Records an effect: the name of the work, the process, and when."""
    append(path(key), f"{work} {os.getpid()} {time.monotonic_ns()}")


def entries(key: str) -> list[str]:
    """Every effect so far, `<work> <pid> <ns of CLOCK_MONOTONIC>`."""
    file = path(key)
    return file.read_text().splitlines() if file.exists() else []
