"""The local lab that is up, as other commands find it: `.state/up.json` with its process and addresses."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import psutil

from statelab.core.errors import BadInput
from statelab.core.errors import EngineFailed
from statelab.core.paths import UP
from statelab.deploy.choose import docker_answers
from statelab.deploy.compose import CONSOLE
from statelab.deploy.compose import ComposeEngine

STOP_S = 30.0


CLOCK_S = 2.0
"""By how much the time at which a process started may seem to change, since the clock is set now and then."""


class Up(msgspec.Struct, frozen=True):
    """`started` is when the process did, in seconds since 1970: its pid may belong to somebody else by now."""

    pid: int
    started: float
    addresses: dict[str, str]

    @property
    def alive(self) -> bool:
        try:
            return abs(psutil.Process(self.pid).create_time() - self.started) < CLOCK_S
        except psutil.NoSuchProcess:
            return False


def _read() -> Up | None:
    """What is up, None where nothing is (a file left by a lab that was killed counts as nothing)."""
    if not UP.exists():
        return None
    up = msgspec.json.decode(UP.read_bytes(), type=Up)
    return up if up.alive else None


@contextmanager
def announced(addresses: dict[str, str]) -> Iterator[None]:
    """While it lasts, other commands find the lab of this process."""
    UP.parent.mkdir(parents=True, exist_ok=True)
    here = psutil.Process()
    UP.write_bytes(msgspec.json.encode(Up(here.pid, here.create_time(), addresses)))
    try:
        yield
    finally:
        UP.unlink(missing_ok=True)


def pid() -> int | None:
    up = _read()
    return up.pid if up else None


def addresses() -> dict[str, str] | None:
    up = _read()
    return up.addresses if up else None


def wait_for_end() -> None:
    """Returns when the local lab is gone; raises EngineFailed where it does not go."""
    deadline = time.monotonic() + STOP_S
    while _read():
        if time.monotonic() > deadline:
            raise EngineFailed(f"the lab (process {pid()}) did not stop within {STOP_S:.0f} s")
        time.sleep(0.1)


def compose_console() -> str:
    """The address of Compose's Locust; raises BadInput where nothing is up."""
    engine = ComposeEngine()
    if docker_answers():
        engine.look()
    address = engine.addresses().get(CONSOLE)
    if address is None:
        raise BadInput("nothing is up: `make up` first")
    return address
