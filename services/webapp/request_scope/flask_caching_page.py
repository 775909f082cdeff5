"""Flask-Caching's `cached` on a page that says who asked: one page for everybody, for as long as it is cached.

People cache the view by its path, as the decorator does by default, and forget that the page greets its reader: all
later readers are greeted by the name of the first one.
"""

from flask import Flask, g
from flask_caching import Cache

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

cache = Cache(with_jinja2_ext=False)


def init_app(app: Flask) -> None:
    cache.init_app(app, config={"CACHE_TYPE": "SimpleCache"})


def name() -> str:
    return f"view/{g.path}"


@cache.cached(key_prefix=name)
def page() -> str:
    reader: str = g.reader
    return reader


def echo(key: str, window: Window, value: str) -> str:
    g.path, g.reader = key, value
    shown: str = page()
    window()
    return shown


def find(key: str, value: str) -> str:
    g.path = key
    return cache.get(name()) or value
