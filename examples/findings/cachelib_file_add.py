"""cachelib's `add` on files never takes the place of what has expired

Library: cachelib 0.17.0
Store: a folder
Expected: the key is there: False; it can be added: True
Actual: the key is there: False; it can be added: False

Why: `FileSystemCache.add` asks whether the key's file exists, and does not read its expiry, which `get` and `has` do. A
file is removed only when the cache has more than `threshold` items. A lock or a "done today" mark that is made by `add`
with a timeout, as in the other caches, is free for everybody who asks and can be taken by nobody.

Fix: Ask `has`, as `SimpleCache.add` does.
"""

import sys
import time
from tempfile import TemporaryDirectory

from cachelib import FileSystemCache


def fix():
    FileSystemCache.add = lambda self, key, value, timeout=None: not self.has(key) and self.set(key, value, timeout)


if "--fixed" in sys.argv:
    fix()
with TemporaryDirectory() as folder:
    cache = FileSystemCache(folder)
    assert cache.add("lock", "mine", timeout=1)
    time.sleep(1.1)
    actual = f"the key is there: {cache.has('lock')}; it can be added: {cache.add('lock', 'yours', timeout=1)}"
expected = "the key is there: False; it can be added: True"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)
