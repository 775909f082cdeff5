"""The workload `lock` without a server: what its mechanisms do in one process, and what they refuse."""

import fcntl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from webapp.catalogue import WORKLOADS
from webapp.lock import multiprocessing_lock, threading_lock
from webapp.settings import SETTINGS

MECHANISMS = WORKLOADS["lock"].mechanisms
HERE = [name for name, mechanism in MECHANISMS.items() if not mechanism.unavailable]


def work(client: FlaskClient, name: str, key: str = "k", window: str = "io") -> list[int] | str:
    response = client.post(f"/lock/{name}/work?key={key}&window={window}")
    assert response.status_code == 200, response.get_json()
    answer: list[int] | str = response.get_json()["result"]
    return answer


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_works_or_says_what_is_missing(client: FlaskClient, name: str) -> None:
    """Only the stores are missing here; each of them is named."""
    store = MECHANISMS[name].claims.store or MECHANISMS[name].claims.server
    response = client.post(f"/lock/{name}/work?key=first")
    assert response.status_code == (501 if store else 200)
    assert not store or store in response.get_json()["error"]


@pytest.mark.parametrize("name", HERE)
def test_the_answer_says_when_it_was_held(client: FlaskClient, name: str) -> None:
    """Enter and exit lie within the request, on its clock, and as far apart as the window is wide."""
    before = time.monotonic_ns()
    enter, leave = work(client, name)
    assert before <= int(enter) <= int(leave) - 2_000_000
    assert int(leave) <= time.monotonic_ns()


@pytest.mark.parametrize("name", HERE)
def test_threads_of_one_process_exclude_each_other(client: FlaskClient, name: str) -> None:
    """Eight threads at once: no two of the times they name overlap."""
    start = threading.Barrier(8)

    def use(_: int) -> list[int]:
        own = client.application.test_client()
        start.wait()
        answer = work(own, name, "threads")
        assert isinstance(answer, list)
        return answer

    with ThreadPoolExecutor(8) as threads:
        times = sorted(threads.map(use, range(8)))
    assert all(one[1] < other[0] for one, other in pairwise(times))


@pytest.mark.parametrize("module", [threading_lock, multiprocessing_lock])
def test_who_waits_too_long_is_told_busy(client: FlaskClient, module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that is not given back in time is answered `busy`, and is there again once it is."""
    monkeypatch.setattr(module, "WAIT", 0.05)
    name = next(name for name, mechanism in MECHANISMS.items() if mechanism.module is module)
    with module.lock:  # type: ignore[attr-defined]
        assert work(client, name) == "busy"
    assert isinstance(work(client, name), list)


@pytest.mark.parametrize("module", [threading_lock, multiprocessing_lock])
def test_nobody_else_gives_a_held_lock_back(
    client: FlaskClient, module: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either lock would let anybody release it; the app does not: 409 that says who may, and the lock is still held."""
    monkeypatch.setattr(module, "WAIT", 0.05)
    name = next(name for name, mechanism in MECHANISMS.items() if mechanism.module is module)
    with module.lock:  # type: ignore[attr-defined]
        refused = client.post(f"/lock/{name}/release?key=held")
        assert refused.status_code == 409
        assert "by the request that took it" in refused.get_json()["error"]
        assert work(client, name) == "busy"
    assert isinstance(work(client, name), list)


def test_a_file_lock_is_one_that_other_programs_respect(client: FlaskClient) -> None:
    """Somebody else's flock on the same file keeps the request waiting until it is given up."""
    name = "file-flock"
    path = SETTINGS.state_dir / "lock.file-flock.other"
    with ThreadPoolExecutor(1) as thread, path.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = thread.submit(work, client.application.test_client(), name, "other")
        time.sleep(0.05)
        freed = time.monotonic_ns()
        fcntl.flock(other, fcntl.LOCK_UN)
        assert int(waiting.result()[0]) >= freed


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [("key=a~b", 400, "key"), ("key=", 400, "key"), ("key=k&window=wide", 400, "window")],
)
@pytest.mark.parametrize("name", HERE)
def test_nonsense_takes_no_lock(client: FlaskClient, name: str, query: str, status: int, says: str) -> None:
    """What is refused is refused before the lock is asked for: it is free afterwards."""
    response = client.post(f"/lock/{name}/work?{query}")
    assert response.status_code == status
    assert says in response.get_json()["error"]
    assert isinstance(work(client, name), list)
