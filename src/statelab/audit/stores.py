"""The lab's own stores for a site: started where the configuration names the variables that the app reads.

In: `{variable: store}`, as `{"REDIS_URL": "redis"}`. Out: the variables with the addresses of the stores, which the
fence allows. Each site has stores of its own, so that worlds side by side do not meet in them. Before each world Redis
and PostgreSQL hold what the import left in them, and memcached is empty. The final contents of Redis and PostgreSQL are
compared like files.
"""

import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from statelab.audit.postgres import Postgres
from statelab.core.errors import BadInput
from statelab.deploy.processes import Processes
from statelab.deploy.stores import Store, start_memcached, start_postgres, start_redis

START = {"redis": start_redis, "memcached": start_memcached, "postgres": start_postgres}
READ = {
    b"string": (b"GET",),
    b"list": (b"LRANGE", b"0", b"-1"),
    b"hash": (b"HGETALL",),
    b"set": (b"SMEMBERS",),
    b"zset": (b"ZRANGE", b"0", b"-1", b"WITHSCORES"),
    b"stream": (b"XRANGE", b"-", b"+"),
}
SORTED = frozenset((b"set",))

KEY, TABLE = "key of ", "table of "
"""Prefixes of names in `contents`, which distinguish them from names of files."""

Snapshot = dict[str, Any]
"""By variable: for Redis, each key with its time to live in milliseconds and its content in the format of DUMP; for
PostgreSQL, the result of `Postgres.save`."""


class Redis:
    """A connection with just enough of the protocol (RESP 2) to read all keys and to restore them."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(path))
        self._reader = self._socket.makefile("rb")

    def ask(self, *words: bytes) -> object:
        sent = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self._socket.sendall(sent)
        return self._answer()

    def _answer(self) -> object:
        line = self._reader.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise OSError(f"redis: {rest.decode()}")
        if kind == b"$":
            return self._reader.read(int(rest) + 2)[:-2] if int(rest) >= 0 else b""
        if kind == b"*":
            return [self._answer() for _ in range(int(rest))]
        return rest

    def names(self) -> list[bytes]:
        found = self.ask(b"KEYS", b"*")
        assert isinstance(found, list)
        return sorted(found)

    def text(self, key: bytes) -> Iterator[str]:
        """The content of a key in lines."""
        kind = self.ask(b"TYPE", key)
        assert isinstance(kind, bytes)
        command, *more = READ.get(kind, (b"DUMP",))
        value = self.ask(command, key, *more)
        values = value if isinstance(value, list) else [value]
        shown = [part.decode(errors="backslashreplace") if isinstance(part, bytes) else repr(part) for part in values]
        yield from sorted(shown) if kind in SORTED else shown

    def close(self) -> None:
        self._reader.close()
        self._socket.close()


class Stores:
    """The running stores of one site; `environment` and `allowed` are for the app."""

    def __init__(self, wanted: Mapping[str, str], logs: Path) -> None:
        unknown = sorted(set(wanted.values()) - START.keys())
        if unknown:
            raise BadInput(f"stores: {unknown[0]!r} is not a store that the audit can start: name {' or '.join(START)}")
        self._processes = Processes() if wanted else None
        self._running: dict[str, Store] = {}
        self._redis: dict[str, Redis] = {}
        self._postgres: dict[str, Postgres] = {}
        self.environment: dict[str, str] = {}
        started: dict[str, Store] = {}
        try:
            for variable, name in wanted.items():
                assert self._processes is not None
                store = started.get(name) or started.setdefault(name, START[name](self._processes, logs))
                self._running[variable] = store
                self.environment[variable] = store.address
                if name == "redis":
                    self._redis[variable] = Redis(store.socket)
                elif name == "postgres":  # as a URL, which libpq and SQLAlchemy both take
                    self.environment[variable] = f"postgresql://statelab@/postgres?host={store.socket.parent}"
                    self._postgres[variable] = Postgres(self.environment[variable])
        except BaseException:
            self.close()
            raise
        self.allowed = tuple(str(store.socket) for store in self._running.values())

    def save(self) -> Snapshot:
        found: Snapshot = {variable: postgres.save() for variable, postgres in self._postgres.items()}
        for variable, redis in self._redis.items():
            kept = found[variable] = {}
            for key in redis.names():
                left, content = redis.ask(b"PTTL", key), redis.ask(b"DUMP", key)
                assert isinstance(left, bytes)
                assert isinstance(content, bytes)
                kept[key] = (left if int(left) > 0 else b"0", content)
        return found

    def put_back(self, snapshot: Snapshot) -> None:
        for variable, store in self._running.items():
            if variable in self._redis:
                redis = self._redis[variable]
                redis.ask(b"FLUSHALL")
                for key, (left, content) in snapshot.get(variable, {}).items():
                    redis.ask(b"RESTORE", key, left, content)
            elif variable in self._postgres:
                self._postgres[variable].put_back(snapshot.get(variable, {}))
            else:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(str(store.socket))
                    client.sendall(b"flush_all\r\n")
                    client.recv(100)

    def contents(self) -> dict[str, list[str]]:
        """The contents of each Redis and PostgreSQL in the form of files: a name and lines."""
        tables = {
            f"{TABLE}{variable} {name}": rows
            for variable, postgres in self._postgres.items()
            for name, rows in postgres.contents().items()
            if rows
        }
        return tables | {
            f"{KEY}{variable} {key.decode(errors='backslashreplace')}": list(redis.text(key))
            for variable, redis in self._redis.items()
            for key in redis.names()
        }

    def close(self) -> None:
        for redis in self._redis.values():
            redis.close()
        for postgres in self._postgres.values():
            postgres.close()
        if self._processes is not None:
            self._processes.close()
