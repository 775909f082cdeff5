"""memcached `gets`, look, then `cas`: the write fails if somebody else wrote since the look, and is tried again.

People use memcached's `decr` for this. It stops at 0, and answers 0 both to the buyer of the last one and to all later
buyers; `cas` tells them apart.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.errors import Refused
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="memcached")


def stock(key: str, window: Window, value: int) -> int:
    window()
    stores.memcached().set(key, value)
    return value


def buy(key: str, window: Window) -> Answer:
    memcached = stores.memcached()
    for _ in range(stores.TRIES):
        left, token = memcached.gets(key)
        if left is None:
            raise unknown_article(key)
        if left < 1:
            return "sold-out"
        window()
        if memcached.cas(key, left - 1, token):
            return "ok"
    raise Refused(409, f"overtaken by others {stores.TRIES} times")


def read(key: str) -> int:
    left = stores.memcached().get(key)
    if left is None:
        raise unknown_article(key)
    return int(left)
