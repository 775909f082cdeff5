"""The instrument's side of the processes of a world: the process that imported the app, and the ones that serve.

Each runs in the app's own interpreter and takes commands over a channel, one JSON line each (`inside/process.py`).
"""

import json
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statelab.audit.folder import Folder
from statelab.core.errors import BadInput

START = Path(__file__).parent / "inside" / "start.py"
IMPORT_S = 60.0
ANSWER_S = 60.0
"""The time limit of a command that takes milliseconds and runs no code of the app: the machine may be overloaded."""


@dataclass(frozen=True, kw_only=True)
class App:
    """The audited app and how it is started. `packages`: packages whose lines and globals count as the app's own,
    besides those of its module. `limit_s` bounds each request. `reset` names a function as `module:function`, which is
    called before each world. `stores` maps variables that the app reads to stores of the lab."""

    name: str
    folder: Path
    python: str
    packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    limit_s: float = 10.0
    reset: str | None = None
    stores: Mapping[str, str] = field(default_factory=dict)


class Crashed(Exception):
    """A process ended during a command; the message says how."""


class Hung(Exception):
    """A process did not answer in time; the message says where it was."""


class Remote:
    """The other end of a process's channel."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._reader = channel.makefile("rb")
        self._asking = threading.Lock()

    def ask(self, do: str, *, limit_s: float, descriptor: int | None = None, **arguments: Any) -> dict[str, Any]:
        command = json.dumps({"do": do, **arguments}).encode() + b"\n"
        try:
            with self._asking:
                self._channel.settimeout(limit_s)
                if descriptor is not None:
                    socket.send_fds(self._channel, [command], [descriptor])
                else:
                    self._channel.sendall(command)
                line = self._reader.readline()
        except TimeoutError:
            raise Hung(do) from None
        except OSError as error:
            raise Crashed(str(error)) from None
        if not line:
            raise Crashed("")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._reader.close()
        self._channel.close()


class Started(Remote):
    """A process in the app's interpreter that obeys its channel: a new one, or a fork of another (`parent`)."""

    def __init__(
        self, python: str, folder: Path, environment: Mapping[str, str], log: Path, parent: "Started | None" = None
    ) -> None:
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        self._parent = parent
        self._how: dict[str, Any] | None = None
        try:
            with theirs, open(log, "ab") as output:
                if parent is not None:
                    self.pid = int(parent.ask("spawn", limit_s=ANSWER_S, descriptor=theirs.fileno())["pid"])
                else:
                    self._popen = subprocess.Popen(
                        [python, str(START), str(theirs.fileno())],
                        pass_fds=[theirs.fileno()],
                        cwd=folder,
                        env=dict(environment),
                        stdin=subprocess.DEVNULL,
                        stdout=output,
                        stderr=output,
                        start_new_session=True,
                    )
                    self.pid = self._popen.pid
        except BaseException:
            self.close()
            raise
        if parent is not None:
            self.ask("move", limit_s=ANSWER_S, folder=str(folder), environment=dict(environment), log=str(log))

    def tell(self, do: str, **arguments: Any) -> None:
        """Sends a command that has no answer: the process ends after it."""
        self._channel.sendall(json.dumps({"do": do, **arguments}).encode() + b"\n")

    def ended(self, within_s: float) -> bool:
        """Whether the process ends within this many seconds after a command without an answer."""
        return bool(select.select([self._channel], [], [], within_s)[0])

    def wait(self, grace_s: float) -> dict[str, Any]:
        """Waits for the end of the process, then kills its group. Returns how it ended."""
        if self._how is None and self._parent is not None:
            self._how = self._parent.ask("reap", limit_s=grace_s + ANSWER_S, pid=self.pid, grace=grace_s)
        elif self._how is None:
            try:
                code = self._popen.wait(timeout=grace_s)
            except subprocess.TimeoutExpired:
                code = None
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._popen.wait()
            self._how = {"signal": max(0, -(code or 0)), "in_time": code is not None}
        return self._how

    def stop(self) -> None:
        self.close()  # it ends its children, then itself
        with suppress(Crashed, Hung):
            self.wait(5)


def environment_of(app: App, folder: Folder) -> dict[str, str]:
    """The environment of a process that imports the app in this folder."""
    return folder.environment({"PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1", **app.environment})


class Importer(Started):
    """A process that imported the app."""

    def __init__(
        self, app: App, folder: Folder, log: Path, *, seed: int, parent: Started | None = None, patched: bool = False
    ) -> None:
        super().__init__(app.python, folder.app, environment_of(app, folder), log, parent)
        try:
            self.loaded = self.ask(
                "load",
                limit_s=IMPORT_S,
                app=app.name,
                path=folder.import_paths(),
                folder=str(folder.app),
                inside=str(folder.work),
                protected=str(app.folder),
                allowed=list(app.allowed),
                roots=[str(folder.app) + os.sep],
                packages=list(app.packages),
                seed=seed,
                patched=patched,
            )
        except (Crashed, Hung) as error:
            self.stop()
            what = "does not end (does it call app.run()?)" if isinstance(error, Hung) else "ends the process"
            words = log.read_text(errors="replace").strip().splitlines()
            raise BadInput(
                f"importing {app.name.partition(':')[0]} {what}; its last words: {words[-1] if words else 'none'}"
            ) from None

    def begin(self, *, limit_s: float, seed: int, stacks: Path) -> None:
        """Makes this process itself serve requests."""
        self.ask("begin", limit_s=ANSWER_S, seed=seed, limit=20 * limit_s, stacks=str(stacks))


class Server(Remote):
    """A process of a world that serves: a fork of an importer or, with `itself`, the importer."""

    def __init__(self, importer: Importer, *, limit_s: float, seed: int, stacks: Path, itself: bool = False) -> None:
        self._importer = importer
        self._limit_s = limit_s
        self._stacks = stacks
        self._itself = itself
        self._how: dict[str, Any] | None = None
        if itself:
            importer.begin(limit_s=limit_s, seed=seed, stacks=stacks)
            self._channel, self._reader, self._asking = importer._channel, importer._reader, importer._asking
            self.pid = importer.pid
            return
        ours, theirs = socket.socketpair()
        super().__init__(ours)
        try:
            with theirs:
                forked = importer.ask(
                    "fork",
                    limit_s=ANSWER_S,
                    descriptor=theirs.fileno(),
                    seed=seed,
                    limit=20 * limit_s,
                    stacks=str(stacks),
                )
        except BaseException:
            self.close()
            raise
        self.pid = int(forked["pid"])

    def say(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Like `ask`; raises Crashed and Hung with all known details."""
        try:
            return self.ask(do, limit_s=self._limit_s, **arguments)
        except Crashed:
            status = self._reap(1.0)
            name = signal.Signals(status["signal"]).name if status["signal"] else "without a signal"
            raise Crashed(f"the process ended: {name}") from None
        except Hung:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGUSR2)
            time.sleep(0.1)
            raise Hung(f"no answer within {self._limit_s:g} s; it was {self._where()}") from None

    def _where(self) -> str:
        """The innermost frame of the serving thread, as the process wrote it down."""
        frames = [line.strip() for line in self._stacks.read_text().splitlines() if line.startswith("  File")]
        own = [frame for frame in frames if os.sep + "inside" + os.sep not in frame]
        app = str(self._stacks.parent / "work" / "app") + os.sep
        return own[0].replace("File ", "at ").replace('"', "").replace(app, "") if own else "somewhere unknown"

    @property
    def ended(self) -> bool:
        return self._how is not None

    def _reap(self, grace_s: float) -> dict[str, Any]:
        """How the process ended. The importer is asked only once, because afterwards it no longer knows the process."""
        if self._how is None:
            if self._itself:
                self._how = self._importer.wait(grace_s)
            else:
                self._how = self._importer.ask("reap", limit_s=grace_s + ANSWER_S, pid=self.pid, grace=grace_s)
        return self._how

    def end(self, grace_s: float) -> bool:
        """Ends the process like a worker that is replaced; False if it had to be killed."""
        with suppress(Crashed, Hung):
            self.ask("end", limit_s=self._limit_s)
        return bool(self._reap(grace_s)["in_time"])

    def kill(self) -> None:
        if not self.ended:
            self._reap(0.0)
        if not self._itself:
            self.close()
