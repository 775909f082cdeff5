"""A file, and `flock` on a lock file around read and write.

The lock excludes threads and processes; under gevent waiting for it stops the whole process, holder included.
"""

import fcntl

from webapp.claims import HOST
from webapp.claims import Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(
    shared_across=HOST,
    atomic_across=HOST,
    switches_inside=frozenset({"threads"}),
    blocks_hub=True,
    survives="server",
)


def increment(key: str, window: Window) -> int:
    with (SETTINGS.state_dir / f"flock-{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        value = read(key)
        window()
        (SETTINGS.state_dir / f"flock-{key}").write_text(str(value + 1))
        return value + 1


def read(key: str) -> int:
    path = SETTINGS.state_dir / f"flock-{key}"
    return int(path.read_text()) if path.exists() else 0
