"""Another app than the lab's own, asked what it offers: it meets its own modules, and what is missing is said."""

import json
from pathlib import Path

import msgspec
import pytest

from offered import offered
from statelab.core.errors import BadInput
from statelab.plan.app import App
from statelab.plan.catalogue import of_app

BARE = """
print("an app may print something when it is imported")
def app(environ, start_response):
    start_response("404 NOT FOUND", [])
    return [b"<!doctype html>"]
"""


@pytest.mark.parametrize("module", ["shop", "webapp", "servers", "statelab"])
def test_an_app_without_a_catalogue(tmp_path: Path, module: str) -> None:
    """One sentence says what is missing and what to do, and quotes no page; no module of the lab comes in between."""
    (tmp_path / f"{module}.py").write_text(BARE)
    with pytest.raises(BadInput) as refused:
        of_app(App(name=f"{module}:app", folder=tmp_path))
    said = str(refused.value)
    assert said.startswith(f"the app {module}:app cannot be measured: it has no GET /catalogue, the page that names ")
    assert "statelab.toml: name some (docs/own-app.md)" in said
    assert f"`statelab audit {module}:app`" in said
    assert f"`statelab up --app {module}:app`" in said
    assert "doctype" not in said


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (BARE, "webapp:create_app()", "cannot be loaded from {} (--app-dir): AttributeError: module 'webapp' has no"),
        ("import nothing_of_that_name", "webapp:app", "(--app-dir): ModuleNotFoundError: No module named 'nothing_of_"),
        ("import os\nos._exit(3)", "webapp:app", "in {} ended when it was loaded: it ended with 3"),
        ("import webapp.counter", "webapp:app", "No module named 'webapp.counter'; 'webapp' is not a package"),
    ],
)
def test_an_app_that_cannot_be_loaded(tmp_path: Path, text: str, name: str, said: str) -> None:
    """Where it was looked for, and Python's words; the lab's own app of the same name is not asked instead."""
    (tmp_path / "webapp.py").write_text(text)
    with pytest.raises(BadInput) as refused:
        of_app(App(name=name, folder=tmp_path))
    assert said.format(tmp_path) in str(refused.value)


def test_an_app_with_a_catalogue(tmp_path: Path) -> None:
    """What it answers is read, whatever framework made it; a catalogue that lacks something is refused with that."""
    body = json.dumps({"windows": ["io"], "workloads": msgspec.to_builtins(offered().workloads)}, default=list)
    for told, module in ((body, "shop"), ('{"windows": []}', "poor")):
        text = f"def app(environ, start):\n    start('200 OK', [])\n    return [{told.encode()!r}]\n"
        (tmp_path / f"{module}.py").write_text(text)
    assert of_app(App(name="shop:app", folder=tmp_path)).workloads == offered().workloads
    with pytest.raises(BadInput, match=r"GET /catalogue of the app poor:app is not of the form .* `workloads`"):
        of_app(App(name="poor:app", folder=tmp_path))
