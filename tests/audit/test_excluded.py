"""When a second request counts as excluded by the one that is held: by what its threads do, and not by the clock."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from small_apps import HEAD

from statelab.audit import overlap
from statelab.audit.http_file import read
from statelab.audit.inside import threads
from statelab.audit.play import Player
from statelab.audit.processes import App
from statelab.audit.site import Sites

SLOW = """
@app.post("/slow")
def slow():
    open(path("begun"), "w").close()
    time.sleep(0.3)
    return "done"
"""


def computes(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def in_a_pool() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(computes, 0.4).result()


def said(work: Callable[[], object]) -> dict[str, Any]:
    """What a thread says that does this for a request, while another one is held."""
    thread = threads.Thread("one", lambda command, thread: {"answer": work()}, [], patched=False)
    thread.give({"once": True})
    return thread.wait(patient=False)


@pytest.fixture
def other() -> Iterator[threading.Event]:
    """What the request waits for that is held."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("work", [in_a_pool, lambda: computes(0.4), lambda: time.sleep(0.4)])
def test_a_slow_request_is_not_excluded(work: Callable[[], object]) -> None:
    assert "answer" in said(work)


def polls(event: threading.Event) -> None:
    while not event.wait(0.02):
        pass


def spins(event: threading.Event) -> None:
    while not event.is_set():
        pass


@pytest.mark.parametrize("work", [threading.Event.wait, lambda event: event.wait(50), polls, spins])
def test_one_that_waits_for_the_other_is(
    work: Callable[[threading.Event], object], other: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "BURNT_S", 0.5)
    assert "blocked" in said(lambda: work(other))


@pytest.mark.process
def test_a_process_that_is_stopped_for_a_while_excludes_nobody(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(HEAD + SLOW)
    (tmp_path / "story.http").write_text("POST /slow")
    scene = next(overlap.scenes(read(tmp_path / "story.http")))
    with Sites(App(name="shop:app", folder=tmp_path, python=sys.executable), 1) as sites:
        site = sites.first
        with site.world(frozenset("a"), ("a1",), forked=False, patched=False) as opened:
            process = opened.server("a1", run=1).pid

            def stops() -> None:
                while not (site.folder.work / "state" / "begun").exists():
                    time.sleep(0.005)
                os.kill(process, signal.SIGSTOP)
                time.sleep(2.2)
                os.kill(process, signal.SIGCONT)

            stopping = threading.Thread(target=stops)
            stopping.start()
            world = scene.world(overlap.THREADS, 0)
            seen = Player(opened, scene.story, world, 1, look=False, words=()).play()
            stopping.join()
    assert [(turn.request, turn.how) for turn in seen.turns] == [(0, "held"), (1, "answered"), (0, "answered")]
