"""A Lua script in Redis that looks and takes: Redis runs one script at a time, to its end.

People fear that a script stops the store; this one takes microseconds, and no other command can come between its steps.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.inventory.answers import Answer, unknown_article
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

TAKE_IF_THERE = """
local left = tonumber(redis.call('GET', KEYS[1]))
if not left then return nil end
if left < 1 then return 0 end
redis.call('DECR', KEYS[1])
return 1
"""


def stock(key: str, window: Window, value: int) -> int:
    window()
    stores.redis().set(key, value)
    return value


def buy(key: str, window: Window) -> Answer:
    window()
    taken = stores.redis().register_script(TAKE_IF_THERE)([key])
    if taken is None:
        raise unknown_article(key)
    return "ok" if taken else "sold-out"


def read(key: str) -> int:
    left = stores.redis().get(key)
    if left is None:
        raise unknown_article(key)
    return int(left)
