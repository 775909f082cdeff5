"""The effects, as an outside world would see them: a line in a file for each, appended whole and never taken back."""

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
    """Seconds since the last line was appended; without end where none ever was."""
    return time.time() - file.stat().st_mtime if file.exists() else math.inf


def note(key: str, work: str) -> None:
    """The effect of a piece of work: its name, and who had it when."""
    append(path(key), f"{work} {os.getpid()} {time.monotonic_ns()}")


def entries(key: str) -> list[str]:
    """Every effect so far, `<work> <pid> <ns of CLOCK_MONOTONIC>`."""
    file = path(key)
    return file.read_text().splitlines() if file.exists() else []
