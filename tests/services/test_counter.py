"""One contract for all counters, and what their claims say of requests and of threads, seen in one process."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.catalogue import WORKLOADS
from webapp.window import WINDOWS

MECHANISMS = WORKLOADS["counter"].mechanisms
HERE = [name for name, mechanism in MECHANISMS.items() if not mechanism.unavailable]
PERSISTENT = [name for name in HERE if "requests" in MECHANISMS[name].claims.shared_across]
IN_THREADS = [name for name in HERE if "threads" in MECHANISMS[name].claims.shared_across]
ATOMIC = [name for name in IN_THREADS if "threads" in MECHANISMS[name].claims.atomic_across]


def increment(client: FlaskClient, name: str, key: str, window: str = "call") -> int:
    response = client.post(f"/counter/{name}/increment?key={key}&window={window}")
    assert response.status_code == 200, response.get_json()
    return int(response.get_json()["result"])


def read(client: FlaskClient, name: str, key: str) -> int:
    return int(client.get(f"/counter/{name}?key={key}").get_json()["result"])


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_works_or_says_what_is_missing(client: FlaskClient, name: str) -> None:
    """Where a store or server is absent the answer is a 501 that names it, and nothing else is attempted."""
    mechanism = MECHANISMS[name]
    response = client.post(f"/counter/{name}/increment?key=first")
    if not mechanism.unavailable:
        assert (response.status_code, response.get_json()) == (200, {"result": 1})
        return
    missing = mechanism.claims.store or mechanism.claims.server
    assert missing
    assert missing in mechanism.unavailable
    assert response.status_code == 501
    assert missing in response.get_json()["error"]


def test_only_stores_and_servers_are_missing_here() -> None:
    """Everything that needs no server is tried by these tests."""
    absent = {name for name, mechanism in MECHANISMS.items() if mechanism.unavailable}
    assert absent == {name for name, m in MECHANISMS.items() if m.claims.store or m.claims.server}


@pytest.mark.parametrize("name", PERSISTENT)
@pytest.mark.parametrize("window", WINDOWS)
def test_one_request_after_the_other_counts_right(client: FlaskClient, name: str, window: str) -> None:
    """Without overlap every mechanism that outlives a request counts 1, 2, 3, whatever stands in the window."""
    key = f"serial-{window}"
    assert [increment(client, name, key, window) for _ in range(3)] == [1, 2, 3]
    assert read(client, name, key) == 3


@pytest.mark.parametrize("name", sorted(set(HERE) - set(PERSISTENT)))
def test_what_ends_with_the_request_counts_only_to_one(client: FlaskClient, name: str) -> None:
    """A mechanism that claims nothing across requests starts anew each time."""
    assert [increment(client, name, "fresh") for _ in range(3)] == [1, 1, 1]
    assert read(client, name, "fresh") == 0


@pytest.mark.parametrize("name", PERSISTENT)
def test_keys_are_counters_of_their_own(client: FlaskClient, name: str) -> None:
    """Two keys share nothing, even where one is the beginning of the other, and the longest is taken."""
    keys = ["own", "own.lock", "own-", "O.w_n", "k" * 64]
    assert [increment(client, name, key) for key in keys] == [1] * len(keys)
    assert increment(client, name, "own") == 2
    assert [read(client, name, key) for key in keys] == [2, 1, 1, 1, 1]


def test_mechanisms_share_no_state(client: FlaskClient) -> None:
    """The same key is a counter of its own in each mechanism, though several may be kept in one store."""
    assert [increment(client, name, "same") for name in HERE] == [1] * len(HERE)


def in_threads(app: Flask, name: str, *, users: int = 8, each: int = 10) -> list[list[int]]:
    """What `users` threads that start together are told, `each` increments one after the other."""
    start = threading.Barrier(users)

    def use(_: int) -> list[int]:
        client = app.test_client()
        start.wait()
        return [increment(client, name, "threads", "io") for _ in range(each)]

    with ThreadPoolExecutor(users) as threads:
        return list(threads.map(use, range(users)))


@pytest.mark.parametrize("name", ATOMIC)
def test_what_claims_to_exclude_threads_loses_nothing(client: FlaskClient, name: str) -> None:
    """Eight threads, ten increments each: all numbers from 1 to 80 are given once, and the counter says 80."""
    told = in_threads(client.application, name)
    assert sorted(number for numbers in told for number in numbers) == list(range(1, 81))
    assert read(client, name, "threads") == 80


@pytest.mark.parametrize("name", sorted(set(IN_THREADS) - set(ATOMIC)))
def test_what_does_not_claim_it_loses_updates(client: FlaskClient, name: str) -> None:
    """The same load through a window of 2 ms: increments are lost, so the claim is missing for a reason."""
    told = in_threads(client.application, name)
    assert len({number for numbers in told for number in numbers}) < 80
    assert read(client, name, "threads") < 80


@pytest.mark.parametrize("name", sorted(set(PERSISTENT) - set(IN_THREADS)))
def test_what_a_thread_keeps_no_other_thread_sees(client: FlaskClient, name: str) -> None:
    """State that claims not to cross threads counts for each of them from 1."""
    assert in_threads(client.application, name) == [list(range(1, 11))] * 8
