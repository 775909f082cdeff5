"""A process of a world, or the one that imports the app and forks the others. It takes commands, one JSON line each.

Every answer is one JSON line too. `main` is the thread that imported the app, where a server with one thread serves;
it also reads the channel. Other threads are made by name.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import importlib.util
import json
import os
import random
import signal
import socket
import sys
import threading
import time
import traceback
from typing import Any

from . import places
from . import request as requests
from .asks import asked
from .fence import Fence
from .threads import Thread, settled
from .tracer import Switches, Tracer

SHARED = frozenset(("flask", "werkzeug", "jinja2", "markupsafe", "click", "itsdangerous", "blinker"))
"""Packages whose import only makes definitions, so a process may inherit them from the process it was forked from."""
FORK, WAITPID, SLEEP, SOCKET = os.fork, os.waitpid, time.sleep, socket.socket
"""The functions before gevent patches them: gevent's versions start its hub, and a fork of a process with a hub
hangs."""
OWN_TO_EACH = frozenset(("multiprocessing", "__main__"))
"""Modules that are not shared: those of the standard library that draw a random number when imported, and the main
module."""


def named(module: Any, attribute: str) -> tuple[Any, bool]:
    """The object that an import string names in its module, and whether to call it; raises AttributeError with the
    name."""
    usual = next((known for known in ("app", "application", "create_app") if hasattr(module, known)), "app")
    name = (attribute[:-2] if attribute.endswith("()") else attribute) or usual
    found = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise AttributeError(name)
        found = getattr(found, part)
    return found, attribute.endswith("()") or name == "create_app"


class Channel:
    """A channel for lines, and for the file descriptors that come with them."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._buffer = b""
        self.descriptors: list[int] = []

    def line(self) -> bytes:
        """The next line; empty if the channel was closed."""
        while b"\n" not in self._buffer:
            more, descriptors, _, _ = socket.recv_fds(self._socket, 1 << 20, 4)
            self.descriptors += descriptors
            if not more:
                return b""
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def say(self, said: dict[str, Any]) -> None:
        self._socket.sendall(json.dumps(said).encode() + b"\n")

    def close(self) -> None:
        self._socket.close()


class Ending(Exception):
    """The channel was closed, or the process was told to end."""


class Process:
    """Runs the commands: each command is the method of its name."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._threads: dict[str, Thread] = {}
        self._known_threads: set[int] = set()
        self._children: set[int] = set()
        self._fence: Fence | None = None
        self._roots: list[str] = []
        self._packages: list[str] = []
        self._app: Any = None
        self._patched = False
        self._asked: dict[tuple[int, str], dict[str, dict[str, Any]]] = {}

    def run(self) -> None:
        while True:
            line = self._channel.line()
            if not line:
                self.leave_nothing()
                os._exit(0)
            command = json.loads(line)
            try:
                said = getattr(self, command["do"])(command)
            except Ending:
                self._channel.say({"ok": True})
                self._channel.close()
                raise SystemExit(0) from None
            if said is not None:
                self._channel.say(said)

    # The process from which the importers of the app are forked

    def prepare(self, command: dict[str, Any]) -> dict[str, Any]:
        """Imports those of the modules that can be imported. With `patched`, gevent patches the process first."""
        if command.get("patched"):
            self._patch()
        for name in command["modules"]:
            try:
                importlib.import_module(name)
            except Exception:  # a module that only its package can import
                continue
        requests.warm_flask()
        return {"hub": self._has_hub()}

    def spawn(self, command: dict[str, Any]) -> dict[str, Any] | None:
        """Forks a process that is to import the app."""
        return self.fork(command)

    def suite(self, command: dict[str, Any]) -> None:
        """Runs a test suite by a plan, then ends. The closed channel shows that it has ended; forks close their copy of
        the channel at once, so that none of them keeps it open."""
        os.register_at_fork(after_in_child=self._channel.close)
        importlib.import_module(__package__ + ".suite").main([command["plan"], *command["arguments"]])

    def move(self, command: dict[str, Any]) -> dict[str, Any]:
        """Changes to another folder, environment and output file."""
        os.chdir(command["folder"])
        os.environ.clear()
        os.environ.update(command["environment"])
        log = os.open(command["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.close(log)
        return {"ok": True}

    def _has_hub(self) -> bool:
        """Whether gevent's hub was started; if so, no fork of this process would run."""
        return self._patched and importlib.import_module("gevent._hub_local").get_hub_if_exists() is not None

    def _patch(self) -> None:
        if not self._patched:
            importlib.import_module("gevent.monkey").patch_all()  # from here on our own threads are greenlets too
            self._patched = True

    # The process that imports

    def load(self, command: dict[str, Any]) -> dict[str, Any]:
        """Imports the app. The answer lists what the import left that a fork does not copy, or copies badly."""
        sys.path[:0] = command["path"]
        os.chdir(command["folder"])
        self._fence = Fence(command["protected"], command["allowed"], command["inside"])
        self._fence.up()
        self._roots = command["roots"]
        random.seed(command["seed"])
        if command.get("patched"):
            self._patch()
        module_name, _, attribute = command["app"].partition(":")
        try:
            module = importlib.import_module(module_name)
        except BaseException as error:
            return {"error": "import", "what": self._in_words(error), "frame": self._own_frame(error)}
        self._packages = [module_name.split(".")[0], *command["packages"]]
        origin = getattr(sys.modules[self._packages[0]], "__file__", None)
        if origin and os.path.basename(origin) == "__init__.py":
            self._roots.append(os.path.join(os.path.dirname(origin), ""))
        elif origin:
            self._roots.append(origin)
        for package in command["packages"]:
            file = getattr(sys.modules.get(package), "__file__", None)
            if file:
                self._roots.append(os.path.join(os.path.dirname(file), ""))
        try:
            found, call = named(module, attribute)
        except AttributeError as error:
            has = sorted(key for key, value in vars(module).items() if hasattr(type(value), "wsgi_app"))
            return {"error": "attribute", "what": str(error), "has": has}
        try:
            self._app = found() if call else found
        except BaseException as error:
            return {"error": "factory", "what": self._in_words(error), "frame": self._own_frame(error)}
        if not callable(self._app):
            return {"error": "callable", "what": type(self._app).__name__}
        requests.warm()
        gc.collect()
        gc.freeze()  # all worlds share what the import made; no world's collector examines it
        self._known_threads = {thread.ident for thread in threading.enumerate() if thread.ident}
        left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
        shared = (SHARED | getattr(sys, "stdlib_module_names", frozenset())) - OWN_TO_EACH
        return {
            "ok": True,
            "threads": left,
            "hub": self._has_hub(),
            "gevent": importlib.util.find_spec("gevent") is not None,
            "blocked": self._fence.blocked,
            "roots": self._roots,
            "shared": [name for name in sys.modules if name.partition(".")[0] in shared],
        }

    def _in_words(self, error: BaseException) -> str:
        return "".join(traceback.format_exception_only(type(error), error)).strip().splitlines()[-1]

    def _own_frame(self, error: BaseException) -> str | None:
        """The last frame in the app's own code."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename.startswith(tuple(self._roots))]
        return f"{own[-1].filename}:{own[-1].lineno} in {own[-1].name}" if own else None

    def fork(self, command: dict[str, Any]) -> dict[str, Any] | None:
        """Forks this process; the child's channel is the descriptor that comes with the command."""
        descriptor = self._channel.descriptors.pop()
        pid = FORK()
        if pid:
            os.close(descriptor)
            self._children.add(pid)
            try:
                os.setpgid(pid, pid)  # the child does it too; otherwise it may be killed before it leads its group
            except OSError:
                pass
            return {"pid": pid}
        os.setpgid(0, 0)
        self._channel.close()
        self._channel = Channel(SOCKET(fileno=descriptor))
        self._children.clear()
        if command["do"] == "fork":
            self._begin(command)
        return None

    def _begin(self, command: dict[str, Any]) -> None:
        """In the child: sets a time limit that the app cannot avoid, and a random seed of its own."""
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, command["limit"])
        random.seed(command["seed"])
        if command.get("stacks"):
            stacks = os.open(command["stacks"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            faulthandler.register(signal.SIGUSR2, file=stacks, all_threads=True)
        self._known_threads = {thread.ident for thread in threading.enumerate() if thread.ident}

    def begin(self, command: dict[str, Any]) -> dict[str, Any]:
        """Does the same steps as after a fork, for a process that imported the app itself and now serves."""
        self._begin(command)
        return {"ok": True}

    def reap(self, command: dict[str, Any]) -> dict[str, Any]:
        """Waits for a child and kills its group after `grace` seconds; the answer says how it ended."""
        pid, deadline = command["pid"], time.monotonic() + command["grace"]
        while True:
            ended, status = WAITPID(pid, os.WNOHANG)
            if ended or time.monotonic() >= deadline:
                break
            SLEEP(0.002)
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        if not ended:
            _, status = WAITPID(pid, 0)
        self._children.discard(pid)
        return {"signal": os.WTERMSIG(status) if ended and os.WIFSIGNALED(status) else 0, "in_time": bool(ended)}

    def leave_nothing(self) -> None:
        for pid in self._children:
            try:
                os.killpg(pid, signal.SIGKILL)
                WAITPID(pid, 0)
            except OSError:
                pass

    # A process that serves

    def serve(self, command: dict[str, Any]) -> dict[str, Any]:
        """Serves a request in the thread named. The answer, or `held` where it was interrupted, or `blocked`.

        With `settle`, the answer comes when the threads that the request started have ended, or after `settle` seconds.
        """
        name = command["thread"]
        if name == "main":
            said = self.answer(command, None)
        else:
            thread = self._threads.get(name)
            if thread is None:
                thread = Thread(name, self.answer, self._roots, patched=self._patched)
            if name == "new":
                command["once"] = True
            else:
                self._threads[name] = thread
            thread.give(command)
            said = thread.wait(patient=not command.get("beside_held"))
        if command.get("settle"):
            said = {**said, "busy": settled(self._known_threads, command["settle"])}
        return said

    def release(self, command: dict[str, Any]) -> dict[str, Any]:
        """Lets the held thread go on and waits for its next message."""
        thread = self._threads[command["thread"]]
        thread.release()
        return thread.wait(patient=not command.get("beside_held"))

    def join(self, command: dict[str, Any]) -> dict[str, Any]:
        """Waits for the next message of a thread that was blocked."""
        return self._threads[command["thread"]].wait(patient=not command.get("beside_held"))

    def answer(self, command: dict[str, Any], thread: Thread | None) -> dict[str, Any]:
        """Serves in the calling thread; `trace` adds the steps that the request took."""
        holds = command.get("holds")
        if not command.get("trace") and not holds:
            return {"answer": requests.serve(self._app, command["request"])}
        kind, held = Switches if self._patched else Tracer, thread.hold if thread else lambda step: None
        tracer = kind(self._roots, holds or (), held, marks=command.get("marks", False))
        if thread:
            thread.steps = tracer.steps
        assert self._fence is not None
        watching, reading = self._fence.watching, self._fence.reading
        watching.append(tracer.watch)
        reading.append(tracer.read)
        try:
            with tracer:
                answer = requests.serve(self._app, command["request"])
        finally:
            watching.remove(tracer.watch)
            reading.remove(tracer.read)
        return {"answer": answer, "steps": tracer.steps}

    def settle(self, command: dict[str, Any]) -> dict[str, Any]:
        """Waits until the threads that requests started have ended."""
        return {"busy": settled(self._known_threads, command["limit"])}

    def rest(self, command: dict[str, Any]) -> dict[str, Any]:
        """Waits until all threads but this one have ended, including those of the import."""
        self._known_threads = {threading.get_ident()}
        return {"busy": settled(self._known_threads, command["limit"])}

    def look(self, command: dict[str, Any]) -> dict[str, Any]:
        """The places of this process's memory, and what the fence refused. The app's own packages are the named ones
        and those with modules in its folder."""
        assert self._fence is not None
        files = [(name, getattr(module, "__file__", None)) for name, module in list(sys.modules.items())]
        own = [name.split(".")[0] for name, file in files if type(file) is str and file.startswith(tuple(self._roots))]
        packages = list(dict.fromkeys([*self._packages, *own]))
        seen = places.look(packages, self._app, command.get("words", []))
        return {**seen, "blocked": self._fence.blocked}

    def routes(self, command: dict[str, Any]) -> dict[str, Any]:
        """The rules of Flask's `url_map`, the names that each view reads from a request, and the rule that each of the
        given requests goes to; `routes` is None without Flask."""
        url_map: Any = getattr(self._app, "url_map", None)
        if not hasattr(url_map, "iter_rules"):
            return {"routes": None}
        views = dict(getattr(self._app, "view_functions", {}))
        adapter = url_map.bind("localhost")
        goes: list[str | None] = []
        for method, path in command["requests"]:
            try:
                goes.append(adapter.match(path, method=method, return_rule=True)[0].rule)
            except Exception:  # no such page, or a redirect to it
                goes.append(None)
        return {
            "goes": goes,
            "routes": [
                {
                    "rule": rule.rule,
                    "endpoint": str(rule.endpoint),
                    "methods": sorted(rule.methods or ()),
                    "arguments": sorted(rule.arguments),
                    "asks": {method: self._asks(views.get(rule.endpoint), method) for method in rule.methods or ()},
                }
                for rule in url_map.iter_rules()
            ],
        }

    def _asks(self, view: Any, method: str) -> dict[str, dict[str, Any]]:
        """The names that a view reads from a request; found once for each view and method, because the source does not
        change."""
        key = (id(view), method)
        if key not in self._asked:
            self._asked[key] = asked(view, method)
        return self._asked[key]

    def call(self, command: dict[str, Any]) -> dict[str, Any]:
        """Calls a function given as `module:function`; `error` says what it raised."""
        module, _, name = command["function"].partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
            found()
        except BaseException as error:
            return {"error": self._in_words(error)}
        return {"error": None}

    def end(self, command: dict[str, Any]) -> None:
        """Ends like a gunicorn worker that is told to end: the interpreter shuts down, even if other threads run."""
        raise Ending


def obey(descriptor: int) -> None:
    process = Process(Channel(socket.socket(fileno=descriptor)))
    process.run()
