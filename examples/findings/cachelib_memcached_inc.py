"""cachelib's `inc` on memcached loses increments

Library: cachelib 0.17.0, pymemcache 4.0.0
Store: memcached at the address in MEMCACHED_ADDRESS
Expected: after two increments the value is 2
Actual: after two increments the value is 1

Why: The docs of `inc` say that "for supporting caches this is an atomic operation". memcached supports it (`incr`), and
on Redis cachelib uses it; `MemcachedCache.inc` is a get and a set, and what another worker adds between the two is
overwritten. The call has no way to say so, and both are told that they succeeded.

Fix: `add` of 0 and `incr`, two commands that each are atomic. `incr` takes only a number that is stored as digits, as
pymemcache's, pylibmc's and python-memcached's serializers store it.
"""

import os
import sys

from cachelib import MemcachedCache
from pymemcache.client.base import PooledClient
from pymemcache.serde import pickle_serde


def fix():
    def inc(self, key, delta=1):
        key = self._normalize_key(key)
        with self._client_context() as client:
            client.add(key, 0, self._normalize_timeout(None))
            return client.incr(key, delta)

    MemcachedCache.inc = inc


class Client(PooledClient):
    """Lets the other worker in after the next command that reads or adds."""

    def _then_the_other(self, answer):
        if others:
            others.pop().inc("hits")
        return answer

    def get(self, *arguments):
        return self._then_the_other(super().get(*arguments))

    def add(self, *arguments):
        return self._then_the_other(super().add(*arguments))


if "--fixed" in sys.argv:
    fix()
others = []
address = os.environ["MEMCACHED_ADDRESS"]
mine, other = (MemcachedCache(Client(address, serde=pickle_serde, default_noreply=False)) for _ in range(2))
mine.delete("hits")
others.append(other)
mine.inc("hits")
expected, actual = "after two increments the value is 2", f"after two increments the value is {mine.get('hits')}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)
