"""A module-level number: read, add one, write back.

People believe that a line of Python is one step; a request that comes between read and write gets the same number.
"""

from collections import defaultdict

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

last: defaultdict[str, int] = defaultdict(int)


def new_id(key: str, window: Window) -> int:
    value = last[key]
    window()
    last[key] = value + 1
    return value + 1
