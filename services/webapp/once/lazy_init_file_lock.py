"""A marker file, looked for and made under `flock`: one of all processes of the host does the work at the start.

People use it under every server; under gevent a greenlet that waits for the lock stops the greenlet that does the work.
"""

import fcntl

from webapp.claims import HOST, Claims
from webapp.once import ledger
from webapp.once.start_up import START_UP, prepare
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, blocks_hub=True, survives="server", medium="file", part="start")


def execute(key: str, window: Window, op_id: str, body: str) -> str:
    marker = SETTINGS.state_dir / f"{key}~started"
    with (SETTINGS.state_dir / f"{key}~lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not marker.exists():
            prepare(window)
            ledger.note(key, START_UP)
            marker.touch()
    return START_UP


def read(key: str) -> list[str]:
    return ledger.entries(key)
