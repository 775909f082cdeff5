"""`threading.Lock` in a module: excludes the threads and greenlets of one process.

People add it and believe that the section is safe; each process has a lock of its own.
"""

import threading
from typing import NoReturn

from webapp.claims import PROCESS, Claims
from webapp.lock.section import BUSY, WAIT, Answer, not_yours, section
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", blocks_unpatched=True)

lock = threading.Lock()


def work(key: str, window: Window) -> Answer:
    if not lock.acquire(timeout=WAIT):
        return BUSY
    try:
        return section(window)
    finally:
        lock.release()


def release(key: str) -> NoReturn:
    raise not_yours(key)
