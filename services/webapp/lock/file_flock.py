"""`flock` on a lock file: the kernel's lock between all processes of a host.

People forget that a wait under gevent stops the whole process, including the holder. The lock of a holder that is
killed is free at once, since the kernel closes its file.
"""

import fcntl
from typing import NoReturn

from webapp.claims import HOST, Claims
from webapp.lock.section import Answer, not_yours, section
from webapp.settings import SETTINGS
from webapp.window import Window

CLAIMS = Claims(shared_across=HOST, atomic_across=HOST, blocks_hub=True, survives="server", medium="file")


def work(key: str, window: Window) -> Answer:
    with (SETTINGS.state_dir / key).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return section(window)


def release(key: str) -> NoReturn:
    raise not_yours(key)
