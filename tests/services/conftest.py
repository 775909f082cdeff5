"""The app in this process, with files of its own, a manager process and no stores: its mechanisms without a server."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from app_environment import SERVICES, STATE_DIR
from webapp import create_app


@pytest.fixture(scope="session", autouse=True)
def manager() -> Iterator[None]:
    """The manager process, as `serve` starts it; the segments that tests made end with it."""
    process = subprocess.Popen([sys.executable, str(SERVICES / "manager_process.py"), str(os.getpid())])
    while not (STATE_DIR / "manager.sock").exists():
        assert process.poll() is None
    yield
    from manager_process import cleared_segments, segment_prefix

    process.kill()
    process.wait()
    with cleared_segments(segment_prefix(bytes.fromhex(os.environ["MANAGER_KEY"]))):
        pass


@pytest.fixture(scope="session")
def client() -> FlaskClient:
    return create_app().test_client()
