"""pymemcache gives a request the reply that another one did not wait for

Library: pymemcache 4.0.0, gevent 26.9.0
Store: memcached at the address in MEMCACHED_ADDRESS
Expected: the increment of bob's counter, which was 5, is told: 6
Actual: the increment of bob's counter, which was 5, is told: 101

Why: A client whose command fails closes its connection, but only for an `Exception`. `gevent.Timeout`, like a greenlet
that is killed or a `KeyboardInterrupt`, is a `BaseException`: the connection stays open with the reply still on its
way, and whoever uses the client next reads it as his own. From then on each answer is the one before. (`PooledClient`
loses its connection in the same case: it is neither given back nor closed, and counts against `max_pool_size` for
ever.)

Fix: Close for every `BaseException`, as redis-py does.
"""

import os
import sys

import gevent
from pymemcache.client.base import Client


def fix():
    def closing(command):
        def run(self, *arguments, **options):
            try:
                return command(self, *arguments, **options)
            except BaseException:
                self.close()
                raise

        return run

    for name in ("_fetch_cmd", "_store_cmd", "_misc_cmd"):
        setattr(Client, name, closing(getattr(Client, name)))


class Slow:
    """The client's socket, on which the first reply takes longer than the request may."""

    def __init__(self, socket):
        self.socket = socket

    def __getattr__(self, name):
        return getattr(self.socket, name)

    def recv(self, size):
        client.sock = self.socket
        gevent.sleep(1)


if "--fixed" in sys.argv:
    fix()
client = Client(os.environ["MEMCACHED_ADDRESS"], default_noreply=False)
client.set("ann", "100")
client.set("bob", "5")
client.sock = Slow(client.sock)
with gevent.Timeout(0.1, False):
    client.incr("ann", 1)
text = "the increment of bob's counter, which was 5, is told:"
expected, actual = f"{text} 6", f"{text} {client.incr('bob', 1)}"
print(f"expected: {expected}\nactual: {actual}")
sys.exit(expected != actual)
