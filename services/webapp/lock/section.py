"""The critical section: what a holder does, and how it reports when."""

import time
from typing import Literal

from webapp.errors import Refused
from webapp.window import Window

Stamps = list[int]
"""Enter and exit in ns of CLOCK_MONOTONIC, which all processes and containers of one host share."""

Answer = Stamps | Literal["busy", "refused"]
"""When the lock was held; or that it was not free in time; or that the work of a late holder was refused."""

BUSY: Literal["busy"] = "busy"
REFUSED: Literal["refused"] = "refused"

WAIT = 2.5
"""Seconds a request waits for the lock before it answers `busy`; less than the lab's clients wait for an answer."""

POLL = 0.002
"""Seconds between two tries, if a waiting request is not told that the lock is free."""


def not_yours(key: str) -> Refused:
    """Why a client cannot release the lock: the request that holds it releases it."""
    return Refused(409, f"the lock {key} is given back by the request that took it, and by nobody else")


def section(window: Window) -> Stamps:
    """The critical section. Both stamps are taken inside it, so the lock was held at all times between them."""
    enter = time.monotonic_ns()
    window()
    return [enter, time.monotonic_ns()]
