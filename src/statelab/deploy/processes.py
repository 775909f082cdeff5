"""Child processes that never outlive the lab: each has its own process group, and the guard knows all of them."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

GRACE_S = 5.0


@dataclass(frozen=True, slots=True)
class Child:
    """A started process, which leads its own group, and its log. `again` starts the same command once more."""

    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: int
    again: Callable[[], "Child"]

    def last_words(self, lines: int = 8) -> str:
        """The end of its log, for an error message."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Processes:
    """Starts and ends children. As a context manager, it ends all remaining children on exit.

    `folder` is a new temporary folder for sockets and data, removed at the end.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="statelab-"))
        self.folder.chmod(0o711)  # stores run as another user when the lab is root
        self._children: list[Child] = []
        self._guard = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("guard.py"))],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._tell(f"rm {self.folder}")

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tell(self, line: str) -> None:
        assert self._guard.stdin
        self._guard.stdin.write(line.encode() + b"\n")
        self._guard.stdin.flush()

    def start(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
        user: str | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> Child:
        """Starts a command in its own process group, with its output in `log`."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                env={**os.environ, **(environment or {})},
                pass_fds=descriptors,
                user=user,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=self.folder,
            )
        again = partial(
            self.start,
            command,
            log=log,
            environment=environment,
            descriptors=descriptors,
            user=user,
            stop_signal=stop_signal,
        )
        child = Child(process, log, stop_signal, again)
        self._children.append(child)
        self._tell(f"+ {int(stop_signal)} {process.pid}")
        return child

    def kill(self, child: Child) -> None:
        """Ends a child and its whole group at once."""
        with suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGKILL)
        child.process.wait()
        self._tell(f"- {child.process.pid}")
        self._children.remove(child)

    def stop(self, children: list[Child]) -> None:
        """Asks the children to end, waits GRACE_S seconds for all of them together, then kills the rest, and says so in
        their logs."""
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(child.stop_signal)
        deadline = time.monotonic() + GRACE_S
        for child in children:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                asked = signal.Signals(child.stop_signal).name
                with child.log.open("a") as log:
                    print(f"{child.log.stem} did not end within {GRACE_S:g} s of {asked} and is killed", file=log)
        for child in children:
            self.kill(child)

    def close(self) -> None:
        """Ends every child, deployments before the stores they use, then the guard, which removes the folder."""
        self.stop(list(reversed(self._children)))
        assert self._guard.stdin
        self._guard.stdin.close()
        self._guard.wait()
