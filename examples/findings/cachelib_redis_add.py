"""cachelib's `add` on Redis leaves a key that never expires

Library: cachelib 0.17.0, redis 8.1.0
Store: Redis (or Valkey) at the address in REDIS_URL
Expected: the key's remaining seconds: 60
Actual: the key's remaining seconds: -1

Why: `RedisCache.add` with a timeout is `SETNX` and then `EXPIRE`, two commands. A worker that ends between the two (a
timeout, a kill, a lost connection) leaves the key without an end; -1 is Redis' word for that. What was to be a lock for
a minute is one for ever.

Fix: One command: `SET` with `NX` and `EX`.
"""

import os
import sys

from cachelib import RedisCache
from redis import Redis


def fix():
    def add(self, key, value, timeout=None):
        seconds = self._normalize_timeout(timeout)
        name, content = f"{self._get_prefix()}{key}", self.serializer.dumps(value)
        return bool(self._write_client.set(name, content, nx=True, ex=seconds if seconds != -1 else None))

    RedisCache.add = add


class Ends(BaseException):
    """The worker ends after its first command."""


class OneCommand(Redis):
    def execute_command(self, *arguments, **options):
        super().execute_command(*arguments, **options)
        raise Ends


if "--fixed" in sys.argv:
    fix()
redis = Redis.from_url(os.environ["REDIS_URL"])
redis.delete("lock")
try:
    RedisCache(OneCommand.from_url(os.environ["REDIS_URL"])).add("lock", "mine", timeout=60)
except Ends:
    pass
expected, actual = "the key's remaining seconds: 60", f"the key's remaining seconds: {redis.ttl('lock')}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)
