"""A file, and `flock` on a lock file around read and write.

People believe that the kernel's lock keeps any two requests apart. It excludes threads and processes; under gevent,
waiting for it stops the whole process, including the holder.
"""

import contextlib
import fcntl
from collections.abc import Iterator

from webapp.claims import HOST, Claims
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, blocks_hub=True, survives="server", medium="file")


@contextlib.contextmanager
def locked(key: str, how: int) -> Iterator[None]:
    with (SETTINGS.state_dir / f"{key}~lock").open("w") as lock:
        fcntl.flock(lock, how)
        yield


def increment(key: str, window: Window) -> int:
    path = SETTINGS.state_dir / key
    with locked(key, fcntl.LOCK_EX):
        value = int(path.read_text()) if path.exists() else 0
        window()
        path.write_text(str(value + 1))
        return value + 1


def read(key: str) -> int:
    path = SETTINGS.state_dir / key
    with locked(key, fcntl.LOCK_SH):  # a file is empty for a moment while it is written
        return int(path.read_text()) if path.exists() else 0
