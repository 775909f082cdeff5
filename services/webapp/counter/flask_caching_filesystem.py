"""Flask-Caching's FileSystemCache, `get`, then `set`, as StackOverflow sets it up: `from common import cache`.

People believe that a cache shared by all processes can keep a counter; in fact the last writer wins.
"""

from flask import Flask

from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.common import cache
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="file")


def init_app(app: Flask) -> None:
    # A folder of its own, not the answer's /tmp: beyond its threshold the cache deletes whatever lies in its folder.
    # It may drop what it holds, by age or number; a counter must not be dropped.
    cache.init_app(
        app=app,
        config={
            "CACHE_TYPE": "FileSystemCache",  # "filesystem", as the answer has it, is gone from Flask-Caching 2.5
            "CACHE_DIR": str(SETTINGS.state_dir / "flask-caching"),
            "CACHE_DEFAULT_TIMEOUT": 0,
            "CACHE_THRESHOLD": 0,
        },
    )


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    cache.set(key, value + 1)
    return value + 1


def read(key: str) -> int:
    return cache.get(key) or 0
