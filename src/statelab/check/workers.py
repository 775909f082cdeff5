"""Who does the tasks of a check: this process, processes of this machine, or the workers of a Dask scheduler.

Dask does what a cluster needs: it hands a task out again when its worker was killed, at most `TRIES` times, and it ends
a local worker that takes more memory than it may.
"""

import logging
import os
import re
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any, TypeVar

import statelab
from statelab.core.errors import BadInput, EngineFailed

T = TypeVar("T")
R = TypeVar("R")

TRIES = 3
"""How many workers may be killed over one task before it is given up."""

ANSWERS_S = 10
"""How long a scheduler may take to answer, in s."""


class InThisProcess:
    """One task after the other."""

    def each(self, function: Callable[[T], R], work: Sequence[T]) -> Iterator[R]:
        return map(function, work)


class Workers:
    """The workers of a Dask scheduler; `whose` is what errors call it."""

    def __init__(self, client: Any, whose: str) -> None:
        self._client, self._whose = client, whose

    def each(self, function: Callable[[T], R], work: Sequence[T]) -> Iterator[R]:
        """Raises what a task raises, and EngineFailed where workers or scheduler are gone."""
        import distributed
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        as_completed: Any = distributed.as_completed

        futures = self._client.map(function, work, pure=False)
        try:
            for future in as_completed(futures, loop=self._client.loop):
                if future.cancelled():
                    raise EngineFailed(f"{self._whose} is gone; nothing was judged")
                yield future.result()
                future.release()
        except KilledWorker:
            raise EngineFailed(
                f"{TRIES} workers of {self._whose} were killed over the same task; one that takes more memory than it "
                "may is ended: --memory gives more"
            ) from None
        except (CommClosedError, OSError) as error:
            if isinstance(error, CommClosedError) or self._client.status != "running":
                raise EngineFailed(f"{self._whose} is gone; nothing was judged") from None
            raise
        finally:
            with suppress(Exception):
                self._client.cancel(futures, force=True)

    def pids(self) -> list[int]:
        """The processes that do the tasks."""
        return sorted(self._client.run(os.getpid).values())


def _distributed(wanted: str) -> Any:
    """Dask's scheduler, client and workers; raises BadInput that says how to get them."""
    try:
        import distributed
    except ImportError:
        raise BadInput(f"{wanted} needs Dask: pip install 'statelab[cluster]'; --workers 1 needs nothing") from None
    import dask

    settings = {
        "distributed.scheduler.allowed-failures": TRIES,
        "distributed.scheduler.worker-ttl": None,  # a check holds the lock of Python for long
        "distributed.comm.timeouts.connect": ANSWERS_S,
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.terminate": 1.0,
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "500ms",
        "distributed.admin.system-monitor.interval": "5s",
    }
    dask.config.set(settings)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    return distributed


@contextmanager
def on_this_machine(count: int, memory: int, folder: Path) -> Iterator[Workers]:
    """So many processes, each of which may take `memory` bytes; they end with the block, however it ends."""
    distributed = _distributed(f"--workers {count}")
    with _undisturbed() as pressed:
        cluster = distributed.LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # there is no way without one
            memory_limit=memory,
            local_directory=str(folder),
            silence_logs=logging.CRITICAL,
        )
    try:
        if pressed:
            raise KeyboardInterrupt
        with distributed.Client(cluster, set_as_default=False) as client:
            yield Workers(client, "the cluster of this machine")
    finally:
        with _undisturbed():
            cluster.close()


@contextmanager
def _undisturbed() -> Iterator[list[int]]:
    """Inside of it signals to stop are only noted: a cluster cannot be ended while it is half started, and must be
    closed to the end.

    Processes that are started inside of it, or later by threads that were, never see Ctrl-C, which goes to all
    processes of a terminal: a process has the signal mask of the thread that starts it, and a thread that of the thread
    that made it.
    """
    resource_tracker.ensure_running()  # it would undo the mask when the first process is started
    pressed = list[int]()
    stops = (signal.SIGINT, signal.SIGTERM)
    handlers = {number: signal.signal(number, lambda number, frame: pressed.append(number)) for number in stops}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield pressed
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def of_scheduler(address: str, paths: Sequence[Path]) -> Iterator[Workers]:
    """The workers of a scheduler that runs already; raises BadInput where there are none, where they have another
    version of the lab, or where one does not see the paths."""
    distributed = _distributed("--scheduler")
    if not re.fullmatch(r"(tcp|tls)://[^/:]+:\d+", address):
        raise BadInput(f"--scheduler {address} is not an address such as tcp://127.0.0.1:8786")
    try:
        client = distributed.Client(address, timeout=ANSWERS_S, set_as_default=False)
    except OSError:
        raise BadInput(
            f"no Dask scheduler at {address}: nothing answers within {ANSWERS_S} s; dask scheduler starts one"
        ) from None
    with client:
        _require_fit(client, address, paths)
        yield Workers(client, f"the scheduler {address}")


def _require_fit(client: Any, address: str, paths: Sequence[Path]) -> None:
    try:
        found = client.run(seen, [str(path) for path in paths])
    except ModuleNotFoundError:
        raise BadInput(
            f"a worker of {address} does not have the lab; there it needs "
            f"pip install 'statelab[cluster]=={statelab.__version__}'"
        ) from None
    if not found:
        raise BadInput(f"the scheduler {address} has no workers: dask worker {address} starts one")
    for worker, (version, missing) in found.items():
        if version != statelab.__version__:
            raise BadInput(f"the worker {worker} has State Lab {version}, and this is {statelab.__version__}")
        if missing:
            raise BadInput(f"the worker {worker} does not see {missing[0]}; name folders that all machines share")


def seen(paths: list[str]) -> tuple[str, list[str]]:
    """The version of the lab here, and which of the paths are not."""
    return statelab.__version__, [path for path in paths if not Path(path).exists()]
