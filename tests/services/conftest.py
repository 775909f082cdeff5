"""The app in this process, with files of its own, a keeper and no stores: what its mechanisms do without a server.

The environment is set before anything imports the app, which reads it once.
"""

import atexit
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

SERVICES = Path(__file__).parents[2] / "services"
STATE_DIR = Path(tempfile.mkdtemp(prefix="statelab-tests-"))

atexit.register(shutil.rmtree, STATE_DIR, ignore_errors=True)

for store in ("REDIS_URL", "MEMCACHED_ADDRESS", "POSTGRES_DSN", "GUNICORN_DIRTY_SOCKET"):
    os.environ.pop(store, None)
os.environ.update(
    STATE_DIR=str(STATE_DIR),
    SERVER="none",
    WORKER_CLASS="none",
    PRELOAD="0",
    KEEPER_ADDRESS=str(STATE_DIR / "keeper.sock"),
    KEEPER_KEY=secrets.token_hex(32),
)

from webapp import create_app  # noqa: E402


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
