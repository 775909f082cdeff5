"""A site: one folder and the processes in it. It starts those that import the app and has them fork those that serve.

`a` and `b` are two processes that each imported the app, in the same folder. A process that serves is a fork of one of
them, named `a1`, `a2`, `b1` ...; `h1` is a process on another host, with a folder of its own. If forks would not copy
what the import left running, the serving process imports the app itself (`anew`).
"""

import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from statelab.audit.folder import Folder, State
from statelab.audit.inside.process import SHARED
from statelab.audit.processes import IMPORT_S, App, Crashed, Hung, Importer, Server, Started, environment_of
from statelab.audit.ready import Ready
from statelab.audit.stores import Snapshot, Stores
from statelab.core.errors import BadInput

REST_S = 3.0
"""Seconds that the end of a world waits for threads that the import left."""
SHORT_REST_S = 0.3
"""The same, if those threads did not end the last time."""


def reset(app: App, importer: Importer, stacks: Path) -> None:
    """Calls the user's function in a fork of a process that imported the app, so that no world sees what it changes in
    memory; raises BadInput."""
    server = Server(importer, limit_s=app.limit_s, seed=0, stacks=stacks)
    try:
        said = server.say("call", function=app.reset)
    except (Crashed, Hung) as error:
        said = {"error": str(error)}
    finally:
        server.kill()
    if said["error"]:
        raise BadInput(f"reset = {app.reset!r} failed: {said['error']}; call it by hand first")


class Ended(Exception):
    """The audit was stopped."""


class Site:
    """A folder with its importers. One world at a time.

    Where the import leaves threads (`import_left`), a fork would lack them. Then each world begins with imports of its
    own, and the process that imported the app is the one that serves. It is a fork of a process that has already
    imported Flask and the standard library, because that takes most of the time and is the same for every app.
    """

    def __init__(self, app: App, ready: Ready) -> None:
        self._ready = ready
        self.root = Path(tempfile.mkdtemp(prefix="statelab-audit-"))
        try:
            self.stores = Stores(app.stores, self.root)
        except BaseException:
            shutil.rmtree(self.root, ignore_errors=True)
            raise
        self.app = replace(
            app,
            environment={**app.environment, **self.stores.environment},
            allowed=(*app.allowed, *self.stores.allowed),
        )
        self.log = self.root / "log"
        self._importers: dict[str, Importer] = {}
        self._states: dict[frozenset[str], tuple[State, Snapshot]] = {}
        self._asked: Importer | None = None
        self._parent: Started | None = None
        self._other_host: Site | None = None
        self._patched: tuple[Importer | None, State, Snapshot] | None = None
        self.import_left: list[str] = []
        self.patience_s = REST_S
        try:
            self.folder = Folder(self.root, app.folder)
            self.pristine = self.folder.save()
            self.loaded = self.importer("a").loaded
            self.import_left = self.loaded.get("threads", [])
            if self.import_left:
                self._importers.pop("a").stop()
                self._states.clear()
        except BaseException:
            self.close()
            raise

    def importer(self, name: str) -> Importer:
        """The importer of this name, kept for all worlds."""
        if name not in self._importers:
            if self._states:
                self._put_back(*self._states[frozenset(self._importers)])
            self._importers[name] = self.import_anew(seed=len(self._importers))
            self._states[frozenset(self._importers)] = self.folder.save(), self.stores.save()
        return self._importers[name]

    @property
    def imports_alike(self) -> bool:
        """Whether a second process that imports the app leaves files and stores as the first one left them. If so, a
        world beside it is like a world without it."""
        if self.import_left:
            return False
        self.importer("a")
        self.importer("b")
        (one, stored), (both, stored_by_both) = (self._states[frozenset(names)] for names in ("a", "ab"))
        return (one.files, one.folders, stored) == (both.files, both.folders, stored_by_both)

    def import_anew(self, *, seed: int, patched: bool = False) -> Importer:
        if patched:  # gevent has to come first
            parent = self._ready.process("patched")
        elif self.import_left:
            if self._parent is None:
                environment = environment_of(self.app, self.folder)
                plain = self._ready.process("plain")
                self._parent = Started(self.app.python, self.folder.app, environment, self.log, plain)
                self._parent.ask("prepare", limit_s=IMPORT_S, modules=self.loaded["shared"])
            parent = self._parent
        else:
            parent = self._ready.process("bare" if self.folder.has_module_of(SHARED) else "plain")
        return Importer(self.app, self.folder, self.log, seed=seed, parent=parent, patched=patched)

    def patched(self) -> Importer | None:
        """The process that gevent patched and that then imported the app. None if its forks would differ from it,
        because the import left threads or started gevent's hub."""
        if self.import_left:
            return None
        if self._patched is None:
            self._put_back(self.pristine, {})
            importer: Importer | None = self.import_anew(seed=0, patched=True)
            assert importer is not None
            if importer.loaded.get("hub", True) or importer.loaded["threads"]:
                importer.stop()
                importer = None
            self._patched = importer, self.folder.save(), self.stores.save()
        return self._patched[0]

    def routes(self, requests: list[tuple[str, str]]) -> dict[str, Any]:
        """The app's rules, and which of them each of these requests (method, path) goes to."""
        if self._asked is None:
            self._asked = self.import_anew(seed=0) if self.import_left else self.importer("a")
        return self._asked.ask("routes", limit_s=IMPORT_S, requests=requests)

    def world(self, importers: frozenset[str], begins_with: tuple[str, ...], *, forked: bool, patched: bool) -> "Open":
        """A new world whose processes come from these importers, with everything as it was after their import."""
        if "h" in importers:
            return self._world_of_two_hosts(importers - {"h"}, begins_with, forked=forked)
        if patched and self.patched() is not None and self._patched is not None:
            self._put_back(*self._patched[1:])
            self._reset()
            return Open(self, begins_with=begins_with, forked=True, patched=True)
        if self.import_left or patched:
            self._put_back(self.pristine, {})
            self._reset()
            return Open(self, begins_with=begins_with, forked=forked, patched=patched)
        for name in sorted(importers):
            self.importer(name)
        known = frozenset("ab"[: 1 + max("ab".index(name) for name in importers)])
        self._put_back(*self._states[known])
        self._reset()
        return Open(self, begins_with=(), forked=True)

    def _world_of_two_hosts(self, importers: frozenset[str], begins_with: tuple[str, ...], *, forked: bool) -> "Open":
        """A world of two hosts: the other host has its own files, and the same stores."""
        if self._other_host is None:
            self._other_host = Site(replace(self.app, stores={}, reset=None), self._ready)
        there = tuple(name for name in begins_with if name[0] == "h")
        here = tuple(name for name in begins_with if name not in there)
        opened = self.world(importers, here, forked=forked, patched=False)
        begins = tuple(f"a{name[1:]}" for name in there)
        opened.other_host = self._other_host.world(frozenset("a"), begins, forked=forked, patched=False)
        return opened

    def _put_back(self, state: State, stored: Snapshot) -> None:
        self.folder.put_back(state)
        self.stores.put_back(stored)

    def _reset(self) -> None:
        if self.app.reset is None:
            return
        importer = self.import_anew(seed=0) if self.import_left else self.importer("a")
        try:
            reset(self.app, importer, self.root / "stacks-reset")
        finally:
            if self.import_left:
                importer.stop()

    def close(self) -> None:
        for importer in self._importers.values():
            importer.stop()
        if self._patched is not None and self._patched[0] is not None:
            self._patched[0].stop()
        if self._asked is not None and self.import_left:
            self._asked.stop()
        if self._parent is not None:
            self._parent.stop()
        if self._other_host is not None:
            self._other_host.close()
        self.stores.close()
        shutil.rmtree(self.root, ignore_errors=True)


class Sites:
    """Several sites, so that worlds can be played in parallel; each is made when first needed.

    `ended`: nothing more is to be played; asking for a site raises Ended.
    """

    def __init__(self, app: App, most: int) -> None:
        self.app = app
        self._ready = Ready.of(app.python)
        try:
            self.first = Site(app, self._ready)
        except BaseException:
            self._ready.release()
            raise
        self.most = most
        self._made = [self.first]
        self._free: queue.SimpleQueue[Site | None] = queue.SimpleQueue()
        self._free.put(self.first)
        for _ in range(most - 1):
            self._free.put(None)
        self._lock = threading.Lock()
        self.ended = False

    @contextmanager
    def one(self) -> Iterator[Site]:
        site = self._free.get()
        try:
            if self.ended:
                raise Ended
            if site is None:
                site = Site(self.app, self._ready)
                with self._lock:
                    self._made.append(site)
            yield site
        finally:
            self._free.put(site)

    def close(self) -> None:
        self.ended = True
        for site in self._made:
            site.close()
        self._ready.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Open:
    """A world while it is played: its processes by name, and what they leave in files."""

    def __init__(self, site: Site, *, begins_with: tuple[str, ...], forked: bool, patched: bool = False) -> None:
        self._site = site
        self._servers: dict[str, Server] = {}
        self._own: dict[str, Importer] = {}
        self._patched = patched
        self.other_host: Open | None = None
        self._itself = (patched or bool(site.import_left)) and not forked
        try:
            for name in begins_with:
                self.server(name, run=0)
        except BaseException:
            self.close()
            raise

    def _importer(self, name: str) -> Importer:
        """The process that imports the app for this one: the site's if forks are enough, else one of this world."""
        if not self._site.import_left and not self._patched:
            return self._site.importer(name[0])
        patched = self._site.patched() if self._patched and name[0] == "a" else None
        if patched is not None:
            return patched
        key = name if self._itself else name[0]
        if key not in self._own:
            self._own[key] = self._site.import_anew(seed=len(self._own), patched=self._patched)
        return self._own[key]

    def server(self, name: str, *, run: int) -> Server:
        """The process of this name, `a1` being the first fork of importer a."""
        if name[0] == "h" and self.other_host is not None:
            return self.other_host.server(f"a{name[1:]}", run=run)
        if name not in self._servers:
            self._servers[name] = Server(
                self._importer(name),
                limit_s=self._site.app.limit_s,
                seed=1000 * run + len(self._servers),
                stacks=self._site.root / f"stacks-{name}",
                itself=self._itself,
            )
        return self._servers[name]

    def rest(self) -> None:
        """Waits for a limited time until the threads that the import left have ended. If they do not end, the site
        waits less the next time."""
        busy: list[str] = []
        until = time.monotonic() + self._site.patience_s
        if self.other_host is not None:
            self.other_host.rest()
        for name, importer in self._own.items():
            server = self._servers.get(name)
            if server is None or not server.ended:
                left = max(0.0, until - time.monotonic())  # all of them wait at the same time
                with suppress(Crashed, Hung):
                    busy += importer.ask("rest", limit_s=REST_S + IMPORT_S, limit=left)["busy"]
        if busy:
            self._site.patience_s = SHORT_REST_S

    def files(self) -> dict[str, list[str]]:
        return {**self._site.folder.changes(self._site.pristine), **self._site.stores.contents()}

    def unnamed(self, text: str) -> str:
        """The text without the path of this site's folder, which differs from site to site."""
        text = text.replace(str(self._site.folder.work), "<folder>")
        return text if self.other_host is None else self.other_host.unnamed(text)

    def close(self) -> None:
        if self.other_host is not None:
            self.other_host.close()
        for server in self._servers.values():
            with suppress(Crashed, Hung):
                server.kill()
        for importer in self._own.values():
            importer.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
