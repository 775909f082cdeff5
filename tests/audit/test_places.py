"""Places by name, in this process: what a library keeps for the app is one, too."""

import collections
import enum
import importlib
import sys
import threading
import types
from pathlib import Path
from typing import Any

import flask
import pytest
import sqlalchemy
from sqlalchemy import orm

from statelab.audit.inside import places

LIBRARY = """
from functools import wraps
kept = {}
unread = {}
def get(key):
    return kept.get(key)
def cached(function):
    @wraps(function)
    def inner(*arguments):
        if get(function.__name__) is None:
            put(function.__name__, function(*arguments))
        return get(function.__name__)
    return inner
def put(key, value):
    kept[key] = value
"""

APP = """
from flask import Flask
from library_of_somebody import cached
app = Flask(__name__)
@app.get("/")
@cached
def index():
    return "index"
"""


def test_what_a_decorator_keeps_in_its_own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library_of_somebody.py").write_text(LIBRARY)
    (tmp_path / "app_with_a_cache.py").write_text(APP)
    monkeypatch.syspath_prepend(tmp_path)
    app: Any = importlib.import_module("app_with_a_cache").app
    before = places.look(["app_with_a_cache"], app, [])["places"]
    app.test_client().get("/")
    after = places.look(["app_with_a_cache"], app, [])["places"]
    assert before["library_of_somebody.kept"] == "dict of 0"
    assert after["library_of_somebody.kept"] == "dict of 1"
    assert after["library_of_somebody.kept['index']"] == "'index'"
    assert not any("unread" in name for name in after)


class Colour(str, enum.Enum):  # noqa: UP042 (what apps on Python 3.10 have)
    RED = "red"


class Titled(list[int]):
    title = "none"

    def __len__(self) -> int:
        raise RuntimeError("code of the app")


def _held(**values: Any) -> dict[str, str]:
    """The places of a module that has these globals."""
    module = types.ModuleType("shop_of_places")
    vars(module).update(values)
    sys.modules["shop_of_places"] = module
    try:
        found: dict[str, str] = places.look(["shop_of_places"], None, [])["places"]
        return {name.removeprefix("shop_of_places."): value for name, value in found.items()}
    finally:
        del sys.modules["shop_of_places"]


def test_what_a_thread_local_holds_for_this_thread() -> None:
    current = threading.local()
    current.tenant = "acme"
    assert _held(current=current) == {"current.tenant (of this thread)": "'acme'"}


def test_classes_that_are_dicts_lists_or_texts_are_read_as_these() -> None:
    titled = Titled([7])
    titled.title = "mine"
    pair = collections.namedtuple("pair", "one two")(1, 2)
    assert _held(counted=collections.Counter("a"), titled=titled, pair=pair, colour=Colour.RED) == {
        "counted": "Counter of 1",
        "counted['a']": "1",
        "titled": "Titled of 1",
        "titled[0]": "7",
        "titled.title": "'mine'",
        "pair": "pair of 2",
        "pair[0]": "1",
        "pair[1]": "2",
        "colour": "'red'",
    }


def test_the_configuration_of_an_app_is_a_place() -> None:
    app = flask.Flask("shop_of_places")
    app.config["DARK"] = True
    assert places.look([], app, [])["places"]["app.config['DARK']"] == "True"


def test_what_sqlalchemy_sets_up_at_a_first_query_is_no_place() -> None:
    base: Any = orm.declarative_base()
    column = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
    item = type("Item", (base,), {"__tablename__": "item", "id": column, "__module__": "shop_of_places"})
    before = _held(Item=item)
    orm.configure_mappers()
    assert _held(Item=item) == before
