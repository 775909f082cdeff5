"""A Lua script in Redis that reads and writes: Redis runs one script at a time, to its end.

People fear that a script stops the store; a short one does not, and no other request can come between the steps of its
update.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

ADD_ONE = """
local value = tonumber(redis.call('GET', KEYS[1]) or 0)
redis.call('SET', KEYS[1], value + 1)
return value + 1
"""


def increment(key: str, window: Window) -> int:
    window()
    return int(stores.redis().register_script(ADD_ONE)([key]))


def read(key: str) -> int:
    return int(stores.redis().get(key) or 0)
