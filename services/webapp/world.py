"""What lies outside of the servers: the effects, the orders, the deliveries, the data that caches stand in front of.

No mechanism keeps its state here. All servers of a deployment see the same: on one host these are files; several hosts
share none, and there it is the lab's Redis.
"""

import math
import os
import time
from pathlib import Path
from typing import Any

from webapp import stores
from webapp.settings import PLACE, SETTINGS


def _key(name: str) -> str:
    """The key in Redis, with the deployment in it, because other deployments use the same Redis."""
    return f"{PLACE}.{name}"


class Lines:
    """Lines that are appended and never taken back."""

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def _file(self) -> Path:
        return SETTINGS.state_dir / self._name

    def append(self, line: str) -> None:
        """Appends to a file by one write of the whole line, which is atomic for the processes of a host."""
        if SETTINGS.replicated:
            with stores.redis().pipeline() as both:
                both.rpush(_key(self._name), line)
                both.set(_key(f"{self._name}~at"), time.time())
                both.execute()
            return
        descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, f"{line}\n".encode())
        finally:
            os.close(descriptor)

    @property
    def age_s(self) -> float:
        """Seconds since the last line was appended; infinite if there is none."""
        if SETTINGS.replicated:
            at: Any = stores.redis().get(_key(f"{self._name}~at"))
            return time.time() - float(at) if at else math.inf
        return time.time() - self._file.stat().st_mtime if self._file.exists() else math.inf

    @property
    def end(self) -> int:
        """The position after the last line."""
        if SETTINGS.replicated:
            return int(stores.redis().llen(_key(self._name)))
        return self._file.stat().st_size if self._file.exists() else 0

    def since(self, place: int) -> tuple[list[str], int]:
        """The lines after the position `place`, and the position after the last one."""
        if SETTINGS.replicated:
            found: Any = stores.redis().lrange(_key(self._name), place, -1)
            return [line.decode() for line in found], place + len(found)
        if self.end <= place:
            return [], place
        with self._file.open("rb") as file:
            file.seek(place)
            lines = file.read().decode()
        return lines.splitlines(), place + len(lines.encode())


def put(name: str, value: int) -> None:
    """Stores a number, as a whole or not at all."""
    if SETTINGS.replicated:
        stores.redis().set(_key(name), value)
        return
    unfinished = SETTINGS.state_dir / f"{name}.unfinished"
    unfinished.write_text(str(value))
    unfinished.replace(SETTINGS.state_dir / name)


def get(name: str) -> int | None:
    """The number that was stored; None if there is none."""
    if SETTINGS.replicated:
        value: Any = stores.redis().get(_key(name))
        return None if value is None else int(value)
    try:
        return int((SETTINGS.state_dir / name).read_text())
    except FileNotFoundError:
        return None
