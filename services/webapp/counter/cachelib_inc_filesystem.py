"""cachelib's `FileSystemCache.inc`: a file read, then replaced.

People read in its docs that "for supporting caches this is an atomic operation". Only the replacement of the file is
atomic; the increment is not.
"""

from cachelib import FileSystemCache
from flask import g

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.counter.widened import Widened
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="file")


class Cache(Widened, FileSystemCache):
    """The window between the library's own get and set."""


cache = Cache(str(SETTINGS.state_dir / "cachelib"), threshold=0, default_timeout=0)


def increment(key: str, window: Window) -> int:
    g.window = window
    value = cache.inc(key)
    assert value is not None
    return value


def read(key: str) -> int:
    return cache.get(key) or 0
