"""diskcache gives the key of a job that was taken to the next one

Library: diskcache 5.6.3
Store: a folder
Expected: after ann's job was taken, her key names: nothing
Actual: after ann's job was taken, her key names: the job of bob

Why: `push` answers the key of the item, the highest that is there plus one, so that one can look at it or delete it
later. When the queue is empty it begins again at 500000000000000: the key of an item that was pulled is given to the
next one that is pushed, and who cancels his own job deletes somebody else's.

Fix: Go on from the highest number that was ever given, which is kept beside the queue: in the same transaction.
"""

import sys
from tempfile import TemporaryDirectory

from diskcache import Cache


def fix():
    def push(self, value, prefix="queue"):
        with self.transact():
            number = self.incr(f"{prefix}~last", default=500000000000000)
            key = f"{prefix}-{number:015}"
            self.set(key, value)
            return key

    Cache.push = push


if "--fixed" in sys.argv:
    fix()
with TemporaryDirectory() as folder, Cache(folder) as cache:
    key = cache.push("the job of ann", prefix="queue")
    assert cache.pull(prefix="queue")[1] == "the job of ann"
    cache.push("the job of bob", prefix="queue")
    found = cache.get(key, "nothing")
expected, actual = (
    "after ann's job was taken, her key names: nothing",
    f"after ann's job was taken, her key names: {found}",
)
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)
