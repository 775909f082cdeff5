"""What the app reads when it is imported in the process of the tests: files of their own, a manager process, no stores.

The tests' conftest.py imports this first, before any test imports the app, which reads it once.
"""

import atexit
import os
import secrets
import shutil
import tempfile
from pathlib import Path

SERVICES = Path(__file__).parents[1] / "services"
STATE_DIR = Path(tempfile.mkdtemp(prefix="statelab-tests-"))

atexit.register(shutil.rmtree, STATE_DIR, ignore_errors=True)

for store in ("REDIS_URL", "MEMCACHED_ADDRESS", "POSTGRES_DSN", "GUNICORN_DIRTY_SOCKET"):
    os.environ.pop(store, None)
os.environ.update(
    STATE_DIR=str(STATE_DIR),
    SERVER="none",
    WORKER_CLASS="none",
    PRELOAD="0",
    MANAGER_ADDRESS=str(STATE_DIR / "manager.sock"),
    MANAGER_KEY=secrets.token_hex(32),
)
