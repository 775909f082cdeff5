"""The workload `once` without a server: what its mechanisms do in one process, and what they refuse."""

import importlib.util
import os
import threading
import time
from types import ModuleType

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webapp.catalogue import WORKLOADS
from webapp.once.orders import Orders
from webapp.once.start_up import START_UP
from webapp.window import WINDOWS

MECHANISMS = WORKLOADS["once"].mechanisms
HERE = [name for name, mechanism in MECHANISMS.items() if not mechanism.unavailable]


def execute(client: FlaskClient, name: str, key: str, op_id: str = "r-1", body: str = "pay-7") -> TestResponse:
    return client.post(f"/once/{name}/execute?key={key}&window=io&op_id={op_id}&body={body}")


def ledger(client: FlaskClient, name: str, key: str) -> list[str]:
    entries: list[str] = client.get(f"/once/{name}?key={key}").get_json()["result"]
    return entries


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_mechanism_works_or_says_what_is_missing(client: FlaskClient, name: str) -> None:
    """Only the stores are missing here; each of them is named."""
    store = MECHANISMS[name].claims.store or MECHANISMS[name].claims.server
    response = execute(client, name, "first")
    assert response.status_code == (501 if store else 200)
    assert not store or store in response.get_json()["error"]


@pytest.mark.parametrize("name", HERE)
def test_what_an_answer_vouches_for_is_in_the_ledger_once(client: FlaskClient, name: str) -> None:
    """Sent twice, one after the other: each work that was named has one effect, by this process."""
    named = {execute(client, name, "twice").get_json()["result"] for _ in range(2)}
    entries = [entry.split() for entry in ledger(client, name, "twice")]
    assert sorted(entry[0] for entry in entries) == sorted(named)
    assert {entry[1] for entry in entries} == {str(os.getpid())}


def test_what_the_answers_name(client: FlaskClient) -> None:
    """A retry names its request, work at the start is one for all requests, and each scheduled job is its own."""
    named = {name: {execute(client, name, "names").get_json()["result"] for _ in range(2)} for name in HERE}
    assert named["idempotency-dict"] == {"r-1"}
    assert named["lazy-init"] == named["lazy-init-file-lock"] == {START_UP}
    assert len(named["apscheduler-add-job"]) == len(named["apscheduler-every-worker"]) == 2


@pytest.mark.parametrize("name", HERE)
def test_keys_are_works_of_their_own(client: FlaskClient, name: str) -> None:
    """The same op_id under another key is another request."""
    for key in ("own-1", "own-2"):
        execute(client, name, key)
    assert len(ledger(client, name, "own-1")) == len(ledger(client, name, "own-2")) == 1
    assert ledger(client, name, "own-3") == []


def test_an_op_id_with_another_body_is_refused(client: FlaskClient) -> None:
    """422 with JSON that says what is wrong; nothing is done, and the right retry still works."""
    name, key = "idempotency-dict", "reused"
    assert execute(client, name, key).status_code == 200
    before = ledger(client, name, key)
    refused = execute(client, name, key, body="pay-8")
    assert refused.status_code == 422
    assert "another body" in refused.get_json()["error"]
    assert ledger(client, name, key) == before
    assert execute(client, name, key).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("body=b", 422, "op_id is missing"),
        ("op_id=r", 422, "body is missing"),
        ("op_id=r&body=two words", 422, "body must be"),
        ("op_id=r~1&body=b", 422, "op_id must be"),
        (f"op_id={'r' * 129}&body=b", 422, "op_id must be"),
        ("op_id=r&body=b&window=wide", 400, "window"),
    ],
)
@pytest.mark.parametrize("name", HERE)
def test_nonsense_does_nothing(client: FlaskClient, name: str, query: str, status: int, says: str) -> None:
    """What is refused is refused before anything is done or written down."""
    response = client.post(f"/once/{name}/execute?key=nonsense&{query}")
    assert response.status_code == status
    assert says in response.get_json()["error"]
    assert ledger(client, name, "nonsense") == []


def test_two_first_requests_at_once_start_one_job_from_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts the scheduler second must not say again where its job begins: an order may lie before that."""
    module = another(WORKLOADS["once"].mechanisms["apscheduler-every-worker"].module)
    module.orders = Orders("two-first-requests")
    end = Orders.end.fget

    def slow(orders: Orders) -> int:
        if threading.current_thread() in (first, second):
            time.sleep(0.1)
        place: int = end(orders)
        return place

    def order() -> None:
        module.execute("started-by-two", WINDOWS["io"], "first", "pay")

    first, second = threading.Thread(target=order), threading.Thread(target=order)
    monkeypatch.setattr(Orders, "end", property(slow))
    first.start()
    time.sleep(0.02)
    second.start()
    first.join()
    second.join()
    assert len(module.read("started-by-two")) == 2


def another(module: ModuleType) -> ModuleType:
    """The same module once more, as a process that has just started has it."""
    spec = importlib.util.find_spec(module.__name__)
    assert spec
    assert spec.loader
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return fresh
