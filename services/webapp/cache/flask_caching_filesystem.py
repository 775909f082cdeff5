"""Flask-Caching's FileSystemCache: `get`, on a miss compute and `set`; `delete` after an update.

People believe that a cache shared by all processes is enough; a miss that read before the update sets the old value
after the `delete`, and it stays.
"""

from flask import Flask
from flask_caching import Cache

from webapp.cache import truth
from webapp.claims import BLOCKING, HOST, NOTHING, Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=NOTHING, switches_inside=BLOCKING, survives="server", medium="file")

cache = Cache(with_jinja2_ext=False)


def init_app(app: Flask) -> None:
    cache.init_app(
        app,
        config={
            "CACHE_TYPE": "FileSystemCache",
            "CACHE_DIR": str(SETTINGS.state_dir / "cache-pages"),
            "CACHE_DEFAULT_TIMEOUT": 300,
        },
    )


def write(key: str, value: int) -> int:
    truth.update(key, value)
    cache.delete(key)
    return value


def read(key: str, window: Window) -> truth.Answer:
    value = cache.get(key)
    if value is None:
        value = truth.compute(key, window)
        cache.set(key, value)
    return truth.answer(value)
