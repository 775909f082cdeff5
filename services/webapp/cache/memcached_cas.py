"""memcached `gets` before the computation and `cas` after it; `delete` after an update.

People use `cas` for counters; here it lets a value in only if no `delete` came since the row was read, as the leases of
Facebook's paper do. Requests that miss at the same time still all compute the value.
"""

from webapp import stores
from webapp.cache import truth
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="memcached")

EMPTY = -1
"""Stored where nothing is cached: `cas` needs a value to compare with."""

SECONDS = 300


def write(key: str, value: int) -> int:
    truth.update(key, value)
    stores.memcached().delete(key)
    return value


def read(key: str, window: Window) -> truth.Answer:
    memcached = stores.memcached()
    value, token = memcached.gets(key)
    if value is None:
        memcached.add(key, EMPTY, expire=SECONDS)
        value, token = memcached.gets(key)
    if value is None or value == EMPTY:
        value = truth.compute(key, window)
        if token is not None:
            memcached.cas(key, value, token, expire=SECONDS)
    return truth.answer(value)
