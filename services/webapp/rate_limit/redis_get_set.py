"""Redis `GET`, look, then `SET` what was read plus one, with the hour as its time to live.

People believe that a count in Redis counts everybody; requests that read the same number are counted as one.
"""

from webapp import stores
from webapp.claims import CLUSTER, NOTHING, SOCKETS, Claims
from webapp.rate_limit.answers import HOUR, Answer
from webapp.window import Window

CLAIMS = Claims(
    shared_across=CLUSTER,
    atomic_across=NOTHING,
    switches_inside=SOCKETS,
    survives="server",
    store="redis",
)


def hit(key: str, window: Window, limit: int) -> Answer:
    count = int(stores.redis().get(key) or 0)
    if count >= limit:
        return "refused"
    window()
    if count:
        stores.redis().set(key, count + 1, keepttl=True)
    else:
        stores.redis().set(key, 1, ex=HOUR)
    return "ok"
