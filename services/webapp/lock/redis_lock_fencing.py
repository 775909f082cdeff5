"""The same short lease, and a fencing token: a number that grows with each holder.

People look for a lease that is long enough. Here the resource that the lock protects remembers the highest number it
has seen and refuses lower ones: a holder shows its own before and after its work. Work is refused if the lease ended
and another holder began meanwhile.
"""

import contextlib
from typing import NoReturn

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.lock.section import BUSY, POLL, REFUSED, WAIT, Answer, not_yours, section
from webapp.window import Window

LEASE_MS = 1

# The claims name no lease: the resource excludes an earlier holder, and that does not end by itself.
CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

SHOW = """
local highest = tonumber(redis.call('GET', KEYS[1]) or '0')
if tonumber(ARGV[1]) < highest then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""
"""What the resource does with a token: refuses one that is lower than the highest it has seen, and remembers it."""


def work(key: str, window: Window) -> Answer:
    from redis.exceptions import LockNotOwnedError

    redis = stores.redis()
    lock = redis.lock(key, timeout=LEASE_MS / 1000, sleep=POLL, blocking_timeout=WAIT)
    if not lock.acquire():
        return BUSY
    token = redis.incr(f"{key}~token")
    if not redis.eval(SHOW, 1, f"{key}~resource", token):
        return REFUSED
    stamps = section(window)
    taken = redis.eval(SHOW, 1, f"{key}~resource", token)
    with contextlib.suppress(LockNotOwnedError):
        lock.release()
    return stamps if taken else REFUSED


def release(key: str) -> NoReturn:
    raise not_yours(key)
