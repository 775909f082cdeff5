"""A Lua script in Redis that looks, counts and sets the end of the hour, with nothing in between.

People think of it as an optimisation of `INCR` and `EXPIRE`; without it a crash may leave a count that never expires.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.rate_limit.answers import HOUR, Answer
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")

LET_IN = """
local count = tonumber(redis.call('GET', KEYS[1]) or 0)
if count >= tonumber(ARGV[1]) then return 0 end
if redis.call('INCR', KEYS[1]) == 1 then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return 1
"""


def hit(key: str, window: Window, limit: int) -> Answer:
    window()
    return "ok" if stores.redis().register_script(LET_IN)([key], [limit, HOUR]) else "refused"
