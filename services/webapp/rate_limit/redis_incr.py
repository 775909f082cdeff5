"""Redis `INCR`, and `EXPIRE` for the first of the hour: the number that it answers says whether there was room.

People trust it for the count, and it is right; a crash between the two commands leaves a count that never expires.
"""

from webapp import stores
from webapp.claims import CLUSTER, Claims
from webapp.rate_limit.answers import HOUR, Answer
from webapp.window import Window

CLAIMS = Claims(shared_across=CLUSTER, atomic_across=CLUSTER, survives="server", store="redis")


def hit(key: str, window: Window, limit: int) -> Answer:
    window()
    count = int(stores.redis().incr(key))
    if count == 1:
        stores.redis().expire(key, HOUR)
    return "ok" if count <= limit else "refused"
