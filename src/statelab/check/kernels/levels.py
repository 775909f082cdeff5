"""Levels at which state may be replicated, and which requests share a copy at each."""

from dataclasses import replace
from typing import Literal

import msgspec
import numpy as np

from statelab.record.coding import encode
from statelab.record.columns import History, Integers

Level = Literal["whole", "host", "process", "thread", "greenlet", "request"]

LEVELS: tuple[Level, ...] = ("whole", "host", "process", "thread", "greenlet", "request")
"""Levels at which state may be replicated, coarsest first."""

_IDENTITY: dict[Level, tuple[str, ...]] = {
    "host": ("host",),
    "process": ("boot",),  # a pid comes again, a boot id does not
    "thread": ("boot", "thread"),
    "greenlet": ("boot", "thread", "greenlet"),
}


def grouped_by(history: History, level: Level) -> Integers:
    """For each row the number of its server at that level, or -1 where nobody is known to have served it.

    `whole` puts every row into group 0, `request` every served row into its own. Numbers of one level follow the
    order of `servers`, so two levels that part the rows alike give equal arrays.
    """
    if level == "whole":
        return np.broadcast_to(np.int64(0), len(history))
    if level == "request":
        return np.where(history.served_by == 0, -1, np.arange(len(history)))
    fields = _IDENTITY[level]
    known = [tuple(getattr(server, field) for field in fields) for server in history.servers[1:]]
    return np.concatenate(([-1], encode(known)[0])).astype(np.int64)[history.served_by]


def by_thread(history: History) -> History:
    """The history as if each thread had one greenlet."""
    threads = [server and msgspec.structs.replace(server, greenlet=0) for server in history.servers]
    code, servers = encode(threads)
    return replace(history, served_by=code[history.served_by], servers=servers)
