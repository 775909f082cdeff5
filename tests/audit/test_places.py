"""Places by name, in this process: what a library keeps for the app is one, too."""

import importlib
from pathlib import Path
from typing import Any

import pytest

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
