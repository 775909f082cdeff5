"""Flask-Caching's SimpleCache: `get`, on a miss compute and `set`; `delete` after an update.

People take the extension for one cache of the whole app; it is a dict in each process, and `delete`
reaches one of them.
"""

from flask import Flask
from flask_caching import Cache

from webapp.cache import truth
from webapp.claims import BLOCKING, NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, switches_inside=BLOCKING, survives="request")

cache = Cache(with_jinja2_ext=False)


def init_app(app: Flask) -> None:
    cache.init_app(app, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 300})


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
