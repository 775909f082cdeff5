"""Flask-Caching's SimpleCache, `get`, then `set`: a dict in each process behind the interface of a cache.

People take a cache extension for storage that the app shares; this one, the first in its docs, is per process.
"""

from flask import Flask
from flask_caching import Cache

from webapp.claims import BLOCKING, NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, switches_inside=BLOCKING, survives="request")

cache = Cache(with_jinja2_ext=False)


def init_app(app: Flask) -> None:
    # a cache may drop what it holds, by age or number; a counter must not be dropped
    cache.init_app(app, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 0, "CACHE_THRESHOLD": 1_000_000})


def increment(key: str, window: Window) -> int:
    value = read(key)
    window()
    cache.set(key, value + 1)
    return value + 1


def read(key: str) -> int:
    return cache.get(key) or 0
