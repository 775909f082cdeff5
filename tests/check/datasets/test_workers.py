"""Dask's workers: one that is killed, a scheduler that is gone, and Ctrl-C."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any
from unittest import mock

import psutil
import pytest
from distributed import Client

import statelab
from agreement import columns, side_by_side
from check.datasets.test_same_verdict import judged, key_of, split
from cli.test_check import check
from program import COMMAND
from statelab.check.models import MODELS
from statelab.check.workers import InThisProcess, Workers, of_scheduler, on_this_machine
from statelab.core.errors import BadInput, EngineFailed

pytestmark = pytest.mark.process

MEMORY = 2**30


def dask(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Dask's own command in the background."""
    command = [sys.executable, "-m", "dask", *arguments, "--no-dashboard", "--scheduler-file", str(folder / "address")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # for the tasks of this file
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def address_of(scheduler: subprocess.Popen[bytes], folder: Path) -> str:
    """Where it can be reached. It writes its file in several parts, and the last is the brace at a line's beginning."""
    path = folder / "address"
    while not path.exists() or not path.read_text().endswith("\n}"):
        assert scheduler.poll() is None
        time.sleep(0.01)
    return str(json.loads(path.read_text())["address"])


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=30)


def squared(folder: Path, number: int) -> int:
    """The first time that it is asked for 3, it says in which process it is, and waits until that is killed."""
    waiting = folder / "pid"
    if number == 3 and not waiting.exists():
        (folder / "pid.new").write_text(str(os.getpid()))
        (folder / "pid.new").rename(waiting)
        time.sleep(600)
    return number * number


def always_ends(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def held_up(function: partial[Any], folder: Path, work: Any) -> Any:
    """Of each step the first task says in which process it is, and waits until that is killed."""
    try:
        (folder / f"{function.func.__name__}.met").touch(exist_ok=False)
    except FileExistsError:
        return function(work)
    (folder / "new").write_text(str(os.getpid()))
    (folder / "new").rename(folder / f"{function.func.__name__}.pid")
    time.sleep(600)


class HeldUp:
    """Workers of which one is killed in each step."""

    def __init__(self, workers: Workers, folder: Path) -> None:
        self._workers, self._folder = workers, folder

    def each(self, function: Any, work: Any) -> Iterator[Any]:
        return self._workers.each(partial(held_up, function, self._folder), work)


def test_the_partition_of_a_killed_worker_is_judged_again(folder: Path, tmp_path: Path) -> None:
    """In each step, reading, looking at clients and judging, a worker is killed in the middle of a task; the verdict is
    that of an undisturbed check."""
    (held := tmp_path / "held").mkdir()
    done, killed = Event(), list[int]()

    def kill() -> None:
        while not done.wait(0.01):
            for path in held.glob("*.pid"):
                killed.append(int(path.read_text()))
                path.unlink()
                os.kill(killed[-1], signal.SIGKILL)

    killer = Thread(target=kill)
    with on_this_machine(2, MEMORY, tmp_path) as workers:
        killer.start()
        disturbed = judged(folder, tmp_path / "one", HeldUp(workers, held), "register", None, 20_000)
        done.set()
        killer.join()
    assert disturbed == judged(folder, tmp_path / "two", InThisProcess(), "register", None, 20_000)
    assert disturbed.verdict == "violated"
    assert len(set(killed)) == 3


def test_a_task_that_ends_every_worker_is_given_up(tmp_path: Path) -> None:
    with (
        on_this_machine(1, MEMORY, tmp_path) as workers,
        pytest.raises(EngineFailed, match="killed over the same task"),
    ):
        list(workers.each(always_ends, [1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset of registers."""
    rng = random.Random(3)
    history = columns(MODELS["register"], side_by_side([key_of("register", rng) for _ in range(400)]))
    return split(history, tmp_path / "d", rng)


def test_ctrl_c_ends_the_workers_and_removes_the_shuffle(folder: Path, tmp_path: Path) -> None:
    """As soon as there are workers; pressed in a terminal, it goes to all of them."""
    (tmp_path / "t").mkdir()
    command = [*COMMAND, "check", str(folder), "--workers", "2", "--temporary", str(tmp_path / "t")]
    checking = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    started = psutil.Process(checking.pid)
    while len(started.children(recursive=True)) < 2 and checking.poll() is None:
        time.sleep(0.01)
    children = started.children(recursive=True)
    os.killpg(checking.pid, signal.SIGINT)
    out, err = checking.communicate(timeout=60)
    assert (checking.returncode, out) == (130, "")
    assert err.splitlines()[-1] == "statelab: stopped"
    assert "Traceback" not in err
    assert [process for process in psutil.wait_procs(children, timeout=10)[1]] == []
    assert list((tmp_path / "t").iterdir()) == []


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[str]:
    """A scheduler of its own process, without workers."""
    process = dask(tmp_path, "scheduler", "--host", "127.0.0.1", "--port", "0")
    try:
        yield address_of(process, tmp_path)
    finally:
        ended(process)


def test_a_scheduler_with_a_worker_and_without(folder: Path, scheduler: str, tmp_path: Path) -> None:
    """Without a worker it says so. One that sees other files than we do is named with the file."""
    done = check(folder, "--scheduler", scheduler)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"statelab: the scheduler {scheduler} has no workers: dask worker {scheduler} starts one\n"
    worker = dask(tmp_path, "worker", "--nthreads", "1", "--no-nanny")
    try:
        with Client(scheduler) as client:
            client.wait_for_workers(1)
        done = check(folder, "--scheduler", scheduler, "--model", "register")
        assert done.stdout == check(folder, "--model", "register").stdout
        nowhere = tmp_path / "nowhere"
        with pytest.raises(BadInput, match=f"does not see {nowhere}; name folders"), of_scheduler(scheduler, [nowhere]):
            pass
    finally:
        ended(worker)


def test_a_worker_of_another_version(scheduler: str, tmp_path: Path) -> None:
    """Both versions are named."""
    (tmp_path / "older").mkdir()
    (tmp_path / "older" / "start.py").write_text("import statelab\nstatelab.__version__ = '0.0.1'\n")
    worker = dask(
        tmp_path, "worker", "--nthreads", "1", "--no-nanny", "--preload", str(tmp_path / "older" / "start.py")
    )
    try:
        with Client(scheduler) as client:
            client.wait_for_workers(1)
        said = f"has State Lab 0.0.1, and this is {statelab.__version__}"
        with pytest.raises(BadInput, match=said), of_scheduler(scheduler, []):
            pass
    finally:
        ended(worker)


def test_a_scheduler_that_ends_meanwhile(tmp_path: Path) -> None:
    """One sentence, when it was there and is gone."""
    process = dask(tmp_path, "scheduler", "--host", "127.0.0.1", "--port", "0")
    address = address_of(process, tmp_path)
    worker = dask(tmp_path, "worker", "--nthreads", "1", "--no-nanny")
    try:
        with Client(address) as client:
            client.wait_for_workers(1)

        def end() -> None:
            while not (tmp_path / "pid").exists():
                time.sleep(0.01)
            process.kill()

        ender = Thread(target=end)
        ender.start()
        with (
            pytest.raises(EngineFailed, match=f"the scheduler {address} is gone"),
            of_scheduler(address, []) as workers,
        ):
            list(workers.each(partial(squared, tmp_path), range(8)))
        ender.join()
    finally:
        for started in (process, worker):
            started.kill()
            started.wait(timeout=30)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://127.0.0.1:9", "no Dask scheduler at tcp://127.0.0.1:9: nothing answers within"),
        ("127.0.0.1:9", "--scheduler 127.0.0.1:9 is not an address such as tcp://127.0.0.1:8786"),
    ],
)
def test_no_scheduler_there(folder: Path, address: str, said: str) -> None:
    with mock.patch("statelab.check.workers.ANSWERS_S", 1):
        done = check(folder, "--scheduler", address)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_workers_and_a_scheduler_at_once(folder: Path) -> None:
    done = check(folder, "--scheduler", "tcp://127.0.0.1:9", "--workers", "2")
    assert (done.returncode, "name one of them" in done.stderr) == (2, True)
