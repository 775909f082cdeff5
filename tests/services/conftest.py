"""The app in this process, with files of its own, a keeper and no stores: what its mechanisms do without a server."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app_environment import SERVICES
from app_environment import STATE_DIR
from webapp import create_app


@pytest.fixture(scope="session", autouse=True)
def keeper() -> Iterator[None]:
    """The keeper, as `serve` starts it; the segments that tests made end with it."""
    process = subprocess.Popen([sys.executable, str(SERVICES / "keeper.py"), str(os.getpid())])
    while not (STATE_DIR / "keeper.sock").exists():
        assert process.poll() is None
    yield
    from keeper import cleared_segments
    from keeper import segment_prefix

    process.kill()
    process.wait()
    with cleared_segments(segment_prefix(bytes.fromhex(os.environ["KEEPER_KEY"]))):
        pass


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    return create_app().test_client()
