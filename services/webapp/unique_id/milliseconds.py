"""The time of day in milliseconds.

People believe that no two requests come at the same time; two in the same millisecond get the same number.
"""

import time

from webapp.claims import CLUSTER, NOTHING, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=NOTHING, survives="store")


def new_id(key: str, window: Window) -> int:
    now = time.time_ns() // 1_000_000
    window()
    return now
