"""A site: one folder and the processes in it. It starts those that import the app and has them fork those that serve.

`a` and `b` are two processes that imported the app each for itself, in the same folder. A process that serves is a fork
of one of them, named `a1`, `a2`, `b1` ...; where forks do not copy what the import left running, it is a process that
imported the app itself (`anew`).
"""

import queue
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Self

from statelab.audit.folder import Folder
from statelab.audit.folder import State
from statelab.audit.processes import IMPORT_S
from statelab.audit.processes import App
from statelab.audit.processes import Crashed
from statelab.audit.processes import Hung
from statelab.audit.processes import Importer
from statelab.audit.processes import Server
from statelab.audit.processes import Started
from statelab.audit.stores import Snapshot
from statelab.audit.stores import Stores
from statelab.core.errors import BadInput

REST_S = 3.0
"""How long the end of a world waits for threads that the import left."""
SHORT_REST_S = 0.3
"""The same where they are known not to end."""


class Ended(Exception):
    """The audit was stopped."""


class Site:
    """A folder with its importers. One world at a time.

    Where the import leaves threads (`import_left`), a fork would lack them: each world then begins with imports of its
    own, and a process serves in the process that imported. Such a process is a fork of one that has imported what the
    app shares with others, Flask and the standard library, which takes longer than all else.
    """

    def __init__(self, app: App, number: int) -> None:
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
        self._bare: Started | None = None
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
        """The one of this name, kept for all worlds."""
        if name not in self._importers:
            if self._states:
                self._put_back(*self._states[frozenset(self._importers)])
            self._importers[name] = self.import_anew(seed=len(self._importers))
            self._states[frozenset(self._importers)] = self.folder.save(), self.stores.save()
        return self._importers[name]

    def import_anew(self, *, seed: int, patched: bool = False) -> Importer:
        if patched:  # in a fork of a process that has imported nothing: gevent has to come first
            self._bare = self._bare or Started(self.app, self.folder, self.log)
            return Importer(self.app, self.folder, self.log, seed=seed, parent=self._bare, patched=True)
        if self.import_left and self._parent is None:
            self._parent = Started(self.app, self.folder, self.log)
            self._parent.ask("prepare", limit_s=IMPORT_S, modules=self.loaded["shared"])
        return Importer(self.app, self.folder, self.log, seed=seed, parent=self._parent)

    def routes(self, requests: list[tuple[str, str]]) -> dict[str, Any]:
        """The app's rules, and which of them each of these requests (method, path) goes to."""
        if self._asked is None:
            self._asked = self.import_anew(seed=0) if self.import_left else self.importer("a")
        return self._asked.ask("routes", limit_s=10, requests=requests)

    def world(self, importers: frozenset[str], begins_with: tuple[str, ...], *, forked: bool, patched: bool) -> "Open":
        """A new world, whose processes come from these importers; everything is as after their import."""
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

    def _put_back(self, state: State, stored: Snapshot) -> None:
        self.folder.put_back(state)
        self.stores.put_back(stored)

    def _reset(self) -> None:
        """Calls the user's function in a process of its own, so that no world has it in memory; raises BadInput."""
        if self.app.reset is None:
            return
        importer = self.import_anew(seed=0) if self.import_left else self.importer("a")
        server = Server(importer, limit_s=self.app.limit_s, seed=0, stacks=self.root / "stacks-reset")
        try:
            said = server.say("call", function=self.app.reset)
        except (Crashed, Hung) as error:
            said = {"error": str(error)}
        finally:
            server.kill()
            if self.import_left:
                importer.stop()
        if said["error"]:
            raise BadInput(f"reset = {self.app.reset!r} failed: {said['error']}; call it by hand first")

    def close(self) -> None:
        for importer in self._importers.values():
            importer.stop()
        if self._asked is not None and self.import_left:
            self._asked.stop()
        for parent in (self._parent, self._bare):
            if parent is not None:
                parent.stop()
        self.stores.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Sites:
    """Several sites, so that worlds can be played side by side; each is made when it is first needed.

    `ended`: nothing more is to be played; whoever asks for a site gets Ended.
    """

    def __init__(self, app: App, most: int) -> None:
        self.app = app
        self.first = Site(app, 0)
        self._most = most
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
                site = Site(self.app, len(self._made))
                with self._lock:
                    self._made.append(site)
            yield site
        finally:
            self._free.put(site)

    def close(self) -> None:
        self.ended = True
        for site in self._made:
            site.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Open:
    """A world under way: its processes by name, and what they leave in files."""

    def __init__(self, site: Site, *, begins_with: tuple[str, ...], forked: bool, patched: bool = False) -> None:
        self._site = site
        self._servers: dict[str, Server] = {}
        self._own: dict[str, Importer] = {}
        self._patched = patched
        self._itself = patched or (bool(site.import_left) and not forked)
        try:
            for name in begins_with:
                self.server(name, run=0)
        except BaseException:
            self.close()
            raise

    def _importer(self, name: str) -> Importer:
        """The process that imports for this one: of the site where forks will do, else of this world."""
        if not self._site.import_left and not self._patched:
            return self._site.importer(name[0])
        key = name if self._itself else name[0]
        if key not in self._own:
            self._own[key] = self._site.import_anew(seed=len(self._own), patched=self._patched)
        return self._own[key]

    def server(self, name: str, *, run: int) -> Server:
        """The process of this name, `a1` being the first fork of importer a."""
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
        """Waits, for a while, until the threads that the import left have ended; a site where they do not end is waited
        for less the next time."""
        busy: list[str] = []
        for name, importer in self._own.items():
            server = self._servers.get(name)
            if server is None or not server.ended:
                with suppress(Crashed, Hung):
                    busy += importer.ask("rest", limit_s=REST_S + 10, limit=self._site.patience_s)["busy"]
        if busy:
            self._site.patience_s = SHORT_REST_S

    def files(self) -> dict[str, list[str]]:
        return {**self._site.folder.changes(self._site.pristine), **self._site.stores.contents()}

    def unnamed(self, text: str) -> str:
        """Without the path of this site's folder, which is another one in each site."""
        return text.replace(str(self._site.folder.work), "<folder>")

    def close(self) -> None:
        for server in self._servers.values():
            with suppress(Crashed, Hung):
                server.kill()
        for importer in self._own.values():
            importer.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
