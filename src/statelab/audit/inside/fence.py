"""The fence around a world: it may connect only to what is allowed, and may not write into the app's own folder.

Python's audit hooks see what Python code does. They do not see what a C library does by itself, for example a
connection that libpq makes; docs/audit.md says so.
"""

from __future__ import annotations

import os
import sys
from typing import Any

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = frozenset(("os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.truncate", "os.link", "os.symlink"))


class Fence:
    """`blocked` collects, in order, what was refused: `connection to 10.0.0.1:6379`, `write to /home/me/shop/a.db`."""

    def __init__(self, protected: str, allowed: list[str], inside: str) -> None:
        self._protected = os.path.join(os.path.realpath(protected), "")
        self._allowed = set(allowed)
        self._inside = os.path.join(os.path.realpath(inside), "")
        self._own_ports: set[int] = set()
        self.blocked: list[str] = []
        self.watching: list[Any] = []
        """Called with (event, path) for each change of a file inside the world's folder, before it is made."""
        self.reading: list[Any] = []
        """Called with each statement that a connection to SQLite runs, in the thread that runs it."""

    def up(self) -> None:
        sys.addaudithook(self._seen)
        try:
            import sqlite3  # a build of Python may lack it
        except ImportError:
            return
        connect = sqlite3.connect

        def watched(*arguments: Any, **named: Any) -> Any:
            connection = connect(*arguments, **named)
            sqlite3.Connection.set_trace_callback(connection, self._runs)
            return connection

        sqlite3.connect = sqlite3.dbapi2.connect = watched

    def _runs(self, statement: str) -> None:
        for read in list(self.reading):
            read(statement)

    def _refuse(self, what: str, error: type[OSError], number: int) -> None:
        if what not in self.blocked:
            self.blocked.append(what)
        raise error(number, "statelab audit refused a " + what)

    def _seen(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.bind":
            if isinstance(arguments[1], tuple) and len(arguments[1]) > 1:
                self._own_ports.add(arguments[1][1])
        elif event in ("socket.connect", "socket.sendto"):
            self._connects(arguments[1])
        elif event == "open":
            path, _, flags = arguments
            if type(path) in (str, bytes) and flags & WRITING:
                self._writes(event, path)
        elif event in CHANGES or event == "sqlite3.connect":
            for path in arguments[:2]:
                if type(path) in (str, bytes) and path:
                    self._writes(event, path)

    def _connects(self, address: Any) -> None:
        if isinstance(address, (str, bytes)):
            path = os.fsdecode(address)
            if path not in self._allowed and not os.path.realpath(path).startswith(self._inside):
                self._refuse("connection to " + path, ConnectionRefusedError, 111)
        elif isinstance(address, tuple) and len(address) > 1:
            port = address[1]
            local = address[0] in ("127.0.0.1", "::1", "localhost", "0.0.0.0")
            name = f"{address[0]}:{port}"
            if name not in self._allowed and not (local and port in self._own_ports):
                self._refuse("connection to " + name, ConnectionRefusedError, 111)

    def _writes(self, event: str, path: Any) -> None:
        name = os.fsdecode(path)
        if name.startswith(("file:", ":")):
            return
        full = os.path.abspath(name)
        if full.startswith(self._protected):
            self._refuse("write to " + full, PermissionError, 13)
        if self.watching and full.startswith(self._inside):
            for watch in list(self.watching):
                watch(event, full)
