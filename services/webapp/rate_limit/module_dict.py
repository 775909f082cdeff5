"""A dict in a module: how many requests there were since when, looked at, then written.

People write it in ten lines and test it with one worker; every process counts by itself, and two requests that come
together count as one.
"""

import time

from webapp.claims import NOTHING, PROCESS, Claims
from webapp.rate_limit.answers import HOUR, Answer
from webapp.window import Window

CLAIMS = Claims(shared_across=PROCESS, atomic_across=NOTHING, survives="request")

windows: dict[str, tuple[float, int]] = {}


def hit(key: str, window: Window, limit: int) -> Answer:
    now = time.monotonic()
    begun, count = windows.get(key, (now, 0))
    if now - begun >= HOUR:
        begun, count = now, 0
    if count >= limit:
        return "refused"
    window()
    windows[key] = (begun, count + 1)
    return "ok"
