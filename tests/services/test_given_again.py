"""Names that are given again while somebody may still hold the old one, in what the lab runs and no library hides.

Each test shows one of docs/findings.md's last section on the real store, by the mechanism's own commands in order.
"""

import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pymemcache.client.base import Client
from redis import Redis

from statelab.deploy.processes import Processes
from statelab.deploy.stores import Store, start_again, start_memcached, start_redis
from webapp.lock.redis_lock_fencing import SHOW


@pytest.fixture
def processes() -> Iterator[Processes]:
    with Processes() as started:
        yield started


def restarted(processes: Processes, name: str, store: Store) -> Store:
    """The same store after its end; it has forgotten everything, as the lab's stores do."""
    processes.kill(store.child)
    return start_again(name, store)


def memcached(store: Store) -> Client:
    return Client(store.address, default_noreply=False, timeout=5)


def test_a_row_s_number_in_sqlite() -> None:
    """The highest that was deleted is the next to be given; with AUTOINCREMENT it is not."""
    with closing(sqlite3.connect(":memory:")) as database:
        for table, kind in (("plain", ""), ("once", "AUTOINCREMENT")):
            database.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY {kind}, owner TEXT)")
            database.execute(f"INSERT INTO {table} (owner) VALUES ('ann')")
            database.execute(f"DELETE FROM {table}")
            database.execute(f"INSERT INTO {table} (owner) VALUES ('bob')")
        given = [database.execute(f"SELECT id FROM {table}").fetchone() for table in ("plain", "once")]
    assert given == [(1,), (2,)]


def test_a_thread_s_number_opens_the_lock_of_a_thread_that_has_ended() -> None:
    """`RLock` knows its holder by `get_ident`; a later thread with the same number is taken for it, and let in."""
    lock = threading.RLock()
    numbers: list[int] = []
    entered: list[bool] = []

    def take() -> None:
        numbers.append(threading.get_ident())
        entered.append(lock.acquire(blocking=False))

    while entered.count(True) < 2 and len(entered) < 1000:
        thread = threading.Thread(target=take)
        thread.start()
        thread.join()
    assert entered == [number == numbers[0] for number in numbers]
    assert entered.count(True) == 2


@pytest.mark.process
def test_memcached_s_cas_number_after_a_restart(processes: Processes, tmp_path: Path) -> None:
    """It counts from 1 again: who read before the restart overwrites what another has written after it."""
    store = start_memcached(processes, tmp_path)
    with closing(memcached(store)) as before:
        before.set("seats", "10")
        value, number = before.gets("seats")
        before.set("seats", value)  # a number later, so that the check works while nobody restarts anything
        assert before.cas("seats", "9", number) is False
        value, number = before.gets("seats")
    with closing(memcached(restarted(processes, "memcached", store))) as after:
        after.set("seats", "10")
        after.set("seats", "0")  # all are sold
        assert after.gets("seats") == (b"0", number)
        assert after.cas("seats", "9", number) is True
        assert after.get("seats") == b"9"


class Late:
    """A proxy for two connections to a store, of which the first can be kept from passing commands on."""

    def __init__(self, address: str) -> None:
        self._store, self._listening = address, socket.create_server(("127.0.0.1", 0))
        self.address = self._listening.getsockname()[:2]
        self.passes = threading.Event()
        self.passes.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with self._listening:
            for passes in (self.passes, None):
                client, store = self._listening.accept()[0], socket.socket(socket.AF_UNIX)
                store.connect(self._store)
                threading.Thread(target=self._copy, args=(client, store, passes), daemon=True).start()
                threading.Thread(target=self._copy, args=(store, client, None), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, passes: threading.Event | None) -> None:
        with source, contextlib.suppress(OSError):
            while data := source.recv(4096):
                if passes:
                    passes.wait(10)
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)


@pytest.mark.process
def test_a_connection_of_memcached_that_another_s_failure_has_replaced(processes: Processes, tmp_path: Path) -> None:
    """`set` takes the answer to somebody else's, which names no key; a request of another thread fails and the client
    opens a new connection: there `get` finds nothing, for the `set` is still under way."""
    late = Late(start_memcached(processes, tmp_path).address)
    client = Client(late.address, default_noreply=False, timeout=0.5)
    client.version()
    client.sock.sendall(b"set theirs 0 60 1\r\n1\r\n")  # by a process that shares the socket
    time.sleep(0.2)
    late.passes.clear()
    assert client.set("mine", "2") is True
    with pytest.raises(TimeoutError):
        client.get("of-another-thread")
    assert client.get("mine") is None
    late.passes.set()
    client.close()


@pytest.mark.process
def test_a_fencing_token_after_a_restart(processes: Processes, tmp_path: Path) -> None:
    """Tokens are counted in Redis, and end with it: the holder before and the one after both have 1, and both pass."""
    store = start_redis(processes, tmp_path)
    with closing(Redis.from_url(store.address)) as redis:
        late = redis.incr("lock~token")
        assert redis.eval(SHOW, 1, "lock~resource", late) == 1
        assert redis.eval(SHOW, 1, "lock~resource", redis.incr("lock~token")) == 1
        assert redis.eval(SHOW, 1, "lock~resource", late) == 0  # refused, as long as Redis remembers
    with closing(Redis.from_url(restarted(processes, "redis", store).address)) as redis:
        holder = redis.incr("lock~token")
        assert holder == late
        assert redis.eval(SHOW, 1, "lock~resource", holder) == 1
        assert redis.eval(SHOW, 1, "lock~resource", late) == 1


@pytest.mark.process
def test_a_version_of_a_cache_key_after_it_was_evicted(processes: Processes, tmp_path: Path) -> None:
    """The version goes, the values stay: it begins at 0 again, under which the oldest value still is."""
    store = start_redis(processes, tmp_path)
    with closing(Redis.from_url(store.address)) as redis:
        redis.set("page~0", "old", ex=300)
        redis.incr("page~version")
        redis.set("page~1", "new", ex=300)
        redis.delete("page~version")  # what `maxmemory-policy allkeys-lru` may do to any key
        version = int(redis.get("page~version") or 0)
        assert redis.get(f"page~{version}") == b"old"
