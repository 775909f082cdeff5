"""The demo of the discussion, as it stands there, under every deployment: two browsers, two counters."""

import shutil
import urllib.request
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

from statelab.core.paths import DEPLOYMENTS, ROOT
from statelab.deploy.local import LocalEngine
from statelab.plan.app import App
from statelab.plan.deployments import load_all

pytestmark = pytest.mark.process


def browser(url: str) -> Callable[[str], str]:
    """Fetches pages with a cookie jar of its own."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    return lambda path: opener.open(f"{url}{path}", timeout=10).read().decode()  # type: ignore[no-any-return]


def test_two_browsers_have_a_counter_each_under_every_deployment(tmp_path: Path) -> None:
    """`/`, `/inc` and `/dec`, one request after the other, with two jars; another process finds the same files."""
    folder = shutil.copytree(ROOT / "examples" / "seed_session", tmp_path / "app")
    deployments = list(load_all(DEPLOYMENTS).values())
    engine = LocalEngine(App(name="app:app", folder=folder))
    try:
        engine.up(deployments)
        for deployment in deployments:
            one, other = browser(engine.url(deployment.name)), browser(engine.url(deployment.name))
            assert one("/") == "counter was reset"
            assert [one("/inc") for _ in range(3)] == ["counter is 1", "counter is 2", "counter is 3"]
            assert other("/dec") == "counter is -1"
            assert [one("/dec"), other("/inc"), one("/inc")] == ["counter is 2", "counter is 0", "counter is 3"]
    finally:
        engine.down()
    assert any((folder / "flask_session").iterdir())
