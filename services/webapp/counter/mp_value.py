"""`multiprocessing.Value` under its own lock: shared with the processes forked after it was made, and no others.

People believe that gunicorn's workers share it, which is so with --preload only, and that its lock keeps any two
requests apart; the lock belongs to the thread, so it does not stop the greenlets of one thread.
"""

import multiprocessing
from ctypes import c_char
from functools import cache
from multiprocessing.sharedctypes import RawArray, Synchronized

from webapp.claims import PROCESS, Claims
from webapp.errors import Refused
from webapp.window import Window

CLAIMS = Claims(
    shared_across=PROCESS,
    inherited=frozenset({"processes"}),
    atomic_across=frozenset({"threads", "processes"}),
    survives="request",
)

COUNTERS = 128
LONGEST_KEY = 128

# No Value can be added later: what is to be shared must exist before the fork.
fork = multiprocessing.get_context("fork")
values: "list[Synchronized[int]]" = [fork.Value("q") for _ in range(COUNTERS)]
keys = RawArray(c_char * LONGEST_KEY, COUNTERS)
keys_lock = fork.Lock()


@cache
def value_of(key: str) -> "Synchronized[int]":
    """The Value of a key; the first process to ask takes a free one, for all processes."""
    name = key.encode()
    with keys_lock:
        for place, value in zip(keys, values, strict=True):
            if not place.value:
                place.value = name
            if place.value == name:
                return value
    raise Refused(409, f"all {COUNTERS} values that were made before the fork are in use; a restart frees them")


def increment(key: str, window: Window) -> int:
    counter = value_of(key)
    with counter.get_lock():
        value = counter.value
        window()
        counter.value = value + 1
        return value + 1


def read(key: str) -> int:
    return value_of(key).value
