"""The server kinds, one file each: the settings it reads, what lies between two of its requests, and how it starts.

A server's file has SETTINGS, `spread(settings)`, `run(app, settings)`, PACKAGE, the package it comes in (none: it comes
with Python), and INHERITS_SOCKET, False where it opens its own socket, at BIND. It imports the server inside of `run`,
so that the file can be imported where the server is not installed. A deployment's env file names its server as SERVER;
its other lines are settings of that server, or of PLACES, which every server may have. The instrument asks with `python
services/servers` (see `__main__.py`).
"""

import os
import socket
import sys
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple


class Whole(NamedTuple):
    """A setting that is a whole number, at least `least`. Without a default it must be given."""

    default: int | None = None
    least: int = 1

    def read(self, text: str) -> int | None:
        return int(text) if text.isdecimal() and int(text) >= self.least else None

    def __str__(self) -> str:
        return f"a whole number, {self.least} or more"


class OneOf(NamedTuple):
    """A setting that is one of a few words. Without a default it must be given."""

    values: tuple[str, ...]
    default: str | None = None

    def read(self, text: str) -> str | None:
        return text if text in self.values else None

    def __str__(self) -> str:
        return f"one of {', '.join(self.values)}"


class Spread(NamedTuple):
    """The boundaries between two requests of a deployment; the prediction follows from these and a mechanism's claims.

    fresh                what is new for every request: processes, threads or greenlets
    workers, threads     how many processes serve at a time, and how many threads each of them has ready; more than one
                         of either lies between two requests as well
    recycled             workers are replaced while the server runs
    in_turn              boundaries whose two sides never run at the same time
    forks_after_import   requests are served by processes forked after the app was imported
    unpatched_at_import  gevent patches the standard library after the app was imported, or never
    serves_where_imported  requests are served by the thread that imported the app, or by a fork of it
    copies_context       each request runs in a copy of the context (`contextvars`) in which the app was imported
    parallel             threads of a process run at the same time: the interpreter has no global lock (GIL)
    hosts                how many hosts run such a server; they share no file, no memory and no name
    sticky               the balancer in front of them sends all requests of one client to the same host
    """

    fresh: Collection[str] = ()
    workers: int = 1
    threads: int = 1
    recycled: bool = False
    in_turn: Collection[str] = ()
    forks_after_import: bool = False
    unpatched_at_import: bool = False
    serves_where_imported: bool = False
    copies_context: bool = False
    parallel: bool = False
    hosts: int = 1
    sticky: bool = False


Settings = Mapping[str, Any]

PLACES = {
    "REPLICAS": OneOf(("1", "2"), default="1"),
    "BALANCE": OneOf(("round-robin", "sticky"), default=""),
    "FREE_THREADED": OneOf(("0", "1"), default="0"),
}
"""On how many hosts the server runs, how the balancer in front of them chooses (in turn, or by a cookie), and whether
the interpreter is to be a free-threaded one."""

OWN_APP = "webapp:create_app()"
"""The lab's own app, which is served where no other one is named."""


class BadSetting(Exception):
    """A deployment that its server cannot serve; the message says what is wrong with which setting."""


def names() -> list[str]:
    """The names of all server kinds: one for each file of this folder."""
    return sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def find(name: str | None) -> Any:
    """The module of a server kind; raises BadSetting, which names all kinds, for an unknown one."""
    if name not in names():
        found = repr(name) if name else "missing"
        raise BadSetting(f"SERVER is {found}; valid are {', '.join(names())}")
    return import_module(f"servers.{name}")


def refuse_unknown(server: Any, given: Iterable[str]) -> None:
    """Raises BadSetting where a server does not know a setting, naming those it does."""
    unknown = sorted(set(given) - {"SERVER", *PLACES, *server.SETTINGS})
    if unknown:
        name = server.__name__.removeprefix("servers.")
        raise BadSetting(f"{name} does not know {', '.join(unknown)}; it knows {', '.join(server.SETTINGS) or 'none'}")


def read(server: Any, environment: Mapping[str, str]) -> Settings:
    """A server's settings from an environment, defaults filled in; raises BadSetting."""
    return _values(server.SETTINGS, environment)


def _values(settings: Mapping[str, Whole | OneOf], environment: Mapping[str, str]) -> Settings:
    values: dict[str, Any] = {}
    for name, setting in settings.items():
        values[name] = setting.read(environment[name]) if name in environment else setting.default
        if values[name] is None:
            found = repr(environment[name]) if name in environment else "missing"
            raise BadSetting(f"{name} is {found}; it must be {setting}")
    return values


def placed(server: Any, environment: Mapping[str, str]) -> Spread:
    """The spread on as many hosts and with such an interpreter as the environment says (PLACES); raises BadSetting."""
    spread: Spread = server.spread(read(server, environment))
    replicas, balance, free_threaded = _values(PLACES, environment).values()
    if (replicas == "1") == bool(balance):
        raise BadSetting("REPLICAS=2 needs BALANCE, and only then: round-robin or sticky")
    if free_threaded == "1" and (reason := getattr(server, "NEEDS_LOCK", "")):
        raise BadSetting(f"FREE_THREADED=1 cannot be under this server: {reason}")
    return spread._replace(hosts=int(replicas), sticky=balance == "sticky", parallel=free_threaded == "1")


def find_app_in(folder: str, *, own: bool) -> str:
    """Puts an app's folder on the path, and returns the path for the processes that are started later. For an app other
    than the lab's own, the modules beside this package can then no longer be imported by name, so that the app's own
    modules may be called the same."""
    services = str(Path(__file__).parent.parent)
    sys.path[:] = [folder, *(path for path in sys.path if path not in (folder, services)), *([services] if own else [])]
    if own:
        return os.pathsep.join([folder, services])
    for name in [name for name in sys.modules if name.partition(".")[0] == __name__]:
        del sys.modules[name]
    return folder


def load_app(name: str) -> Any:
    """The WSGI app that an import string names: `module:attribute`, or `module:factory()`."""
    module, _, attribute = name.partition(":")
    found = getattr(import_module(module), attribute.removesuffix("()") or "app")
    return found() if attribute.endswith("()") else found


def listener() -> socket.socket:
    """The socket to serve on: the one inherited as LISTEN_FD, or a new one at BIND (host:port)."""
    if "LISTEN_FD" in os.environ:
        return socket.socket(fileno=int(os.environ["LISTEN_FD"]))
    host, _, port = os.environ.get("BIND", "127.0.0.1:8000").rpartition(":")
    listening = socket.create_server((host, int(port)), backlog=1024)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the local engine does, which says why
    return listening
