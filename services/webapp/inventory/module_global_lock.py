"""A dict in a module, and a `threading.Lock` around look and take.

People believe that the lock is enough; it excludes the threads and greenlets of its process, and each process has a
lock and a stock of its own.
"""

import threading

from webapp.claims import PROCESS, Claims
from webapp.inventory import deliveries
from webapp.inventory.answers import Answer
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=PROCESS, survives="request", unpatched=frozenset({"greenlets"}))

shelf: dict[str, int] = {}
lock = threading.RLock()


def stock(key: str, window: Window, value: int) -> int:
    with lock:
        window()
        deliveries.deliver(key, value)
        shelf[key] = value
        return value


def buy(key: str, window: Window) -> Answer:
    with lock:
        if read(key) < 1:
            return "sold-out"
        window()
        shelf[key] -= 1
        return "ok"


def read(key: str) -> int:
    with lock:
        if key not in shelf:
            shelf[key] = deliveries.delivered(key)
        return shelf[key]
