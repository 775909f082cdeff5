"""cachelib's `inc` on files loses increments

Library: cachelib 0.17.0
Store: a folder
Expected: after two increments the value is 2
Actual: after two increments the value is 1

Why: `FileSystemCache` inherits `inc` of the base class, which is a get and a set: each file is replaced as a whole, so
nobody reads half of one, but what another thread or process adds between the two is overwritten. The docs say "for
supporting caches this is an atomic operation", and nowhere which ones do not support it; both callers are told 1.

Fix: Get and set under a lock of the folder (`flock` on a file beside it), which threads and processes wait for.
"""

import fcntl
import sys
from tempfile import TemporaryDirectory
from threading import Thread

from cachelib import FileSystemCache


def fix():
    original = FileSystemCache.inc

    def inc(self, key, delta=1):
        with open(f"{self._path}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return original(self, key, delta)

    FileSystemCache.inc = inc


class Cache(FileSystemCache):
    """Lets another worker in after it has read the counter: that one ends first, unless it has to wait."""

    def get(self, key):
        value = super().get(key)
        if key == "hits" and others:
            worker = others.pop()
            worker.start()
            worker.join(timeout=3)
        return value


if "--fixed" in sys.argv:
    fix()
others = []
with TemporaryDirectory() as folder:
    mine, other = Cache(f"{folder}/cache"), FileSystemCache(f"{folder}/cache")
    worker = Thread(target=other.inc, args=["hits"])
    others.append(worker)
    mine.inc("hits")
    worker.join()
    value = mine.get("hits")
expected, actual = "after two increments the value is 2", f"after two increments the value is {value}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)
