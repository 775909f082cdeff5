"""Lets other commands find a running local lab: `up.json` has its process and addresses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psutil

from statelab.core.calls import called
from statelab.core.errors import BadInput, EngineFailed
from statelab.core.paths import UP
from statelab.deploy.choose import docker_answers
from statelab.deploy.compose import CONSOLE, ComposeEngine

STOP_S = 30.0


CLOCK_S = 2.0
"""By how many seconds the start time of a process may seem to change when the clock is set."""


class Up(msgspec.Struct, frozen=True):
    """A lab that is up. `started` is the start time of the process, in seconds since 1970, because another process may
    have its pid by now. `logs` is the folder of its logs, which is kept."""

    pid: int
    started: float
    addresses: dict[str, str]
    logs: str = ""

    @property
    def alive(self) -> bool:
        try:
            return abs(psutil.Process(self.pid).create_time() - self.started) < CLOCK_S
        except psutil.NoSuchProcess:
            return False


def lab() -> Up | None:
    """The lab that is up; None if there is none (a file left by a killed lab does not count)."""
    if not UP.exists():
        return None
    up = msgspec.json.decode(UP.read_bytes(), type=Up)
    return up if up.alive else None


@contextmanager
def announced(addresses: dict[str, str], logs: str = "") -> Iterator[None]:
    """Within this context, other commands find the lab of this process."""
    UP.parent.mkdir(parents=True, exist_ok=True)
    here = psutil.Process()
    UP.write_bytes(msgspec.json.encode(Up(here.pid, here.create_time(), addresses, logs)))
    try:
        yield
    finally:
        UP.unlink(missing_ok=True)


def wait_for_end() -> None:
    """Waits until the local lab has ended; raises EngineFailed if it does not end."""
    deadline = time.monotonic() + STOP_S
    while up := lab():
        if time.monotonic() > deadline:
            raise EngineFailed(f"the lab (process {up.pid}) did not stop within {STOP_S:.0f} s")
        time.sleep(0.1)


def compose_console() -> str:
    """The address of Locust in Compose; raises BadInput if nothing is up."""
    engine = ComposeEngine()
    if docker_answers():
        engine.look()
    address = engine.addresses().get(CONSOLE)
    if address is None:
        raise BadInput(f"nothing is up: {called('up')} first")
    return address
