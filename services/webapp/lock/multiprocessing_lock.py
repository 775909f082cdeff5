"""`multiprocessing.Lock` made when the module is imported: one lock for all processes forked after that.

People believe that gunicorn's workers share it, which is so with --preload only. Under gevent a wait stops the whole
process, including the holder, and a holder that is killed keeps the lock for ever.
"""

import multiprocessing
from typing import NoReturn

from webapp.claims import HOST, PROCESS, Claims
from webapp.lock.section import BUSY, WAIT, Answer, not_yours, section
from webapp.window import Window

CLAIMS = Claims(
    shared_across=PROCESS,
    inherited=frozenset({"processes"}),
    atomic_across=HOST,
    blocks_hub=True,
    survives="request",
)

lock = multiprocessing.get_context("fork").Lock()


def work(key: str, window: Window) -> Answer:
    if not lock.acquire(timeout=WAIT):
        return BUSY
    try:
        return section(window)
    finally:
        lock.release()


def release(key: str) -> NoReturn:
    raise not_yours(key)
