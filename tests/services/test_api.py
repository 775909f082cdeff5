"""The app's HTTP contract, which the load and the instrument are written against."""

import ast
import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from webapp.catalogue import WORKLOADS
from webapp.window import WINDOWS

SERVICES = Path(__file__).parents[2] / "services"
MECHANISMS = WORKLOADS["counter"].mechanisms


def test_health_is_answered_without_touching_any_mechanism(client: FlaskClient) -> None:
    """`/healthz` says that the process serves, and nothing more."""
    response = client.get("/healthz")
    assert (response.status_code, response.get_json()) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("method", "path", "status", "valid"),
    [
        ("POST", "/tally/module-global/increment", 404, sorted(WORKLOADS)),
        ("GET", "/tally/module-global", 404, sorted(WORKLOADS)),
        ("POST", "/counter/magic/increment", 404, sorted(MECHANISMS)),
        ("GET", "/counter/magic", 404, sorted(MECHANISMS)),
        ("POST", "/counter/module-global/decrement", 404, ["increment"]),
        ("GET", "/counter/module-global/sum", 404, ["read"]),
        ("POST", "/counter/module-global/increment?window=wide", 400, sorted(WINDOWS)),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(
    client: FlaskClient, method: str, path: str, status: int, valid: list[str]
) -> None:
    """An unknown workload, mechanism, operation or window is a 404 or 400 whose JSON names the valid ones."""
    response = client.open(path, method=method)
    answer = response.get_json()
    assert (response.status_code, answer["valid"]) == (status, valid)
    assert answer["error"]


@pytest.mark.parametrize("key", ["", "..%2Fup", "a/b", "a b", "a~lock", "k" * 65, "ключ", "a%0A"])
def test_keys_that_could_be_something_else_are_refused(client: FlaskClient, key: str) -> None:
    """A key becomes part of file names and of names in stores, so only plain ones are taken."""
    assert client.post(f"/counter/file/increment?key={key}").status_code == 400


def test_what_no_route_matches_is_json_too(client: FlaskClient) -> None:
    """Nobody who reads JSON gets a page: not for a path that is nothing, not for a wrong method."""
    for path, status in (("/nothing", 404), ("/counter/module-global/increment", 405)):
        response = client.get(path)
        assert (response.status_code, response.mimetype) == (status, "application/json")
        assert response.get_json()["error"]
    assert "POST" in client.get("/counter/module-global/increment").headers["Allow"]


def test_a_failure_inside_is_json_and_not_a_crash() -> None:
    """What a mechanism did not expect is a 500 in JSON; the app goes on."""
    from webapp import create_app

    client = create_app().test_client()
    (path := WORKLOADS["counter"].mechanisms["file"].module.SETTINGS.state_dir / "counter.file.torn").write_text("one")
    response = client.get("/counter/file?key=torn")
    path.unlink()
    assert (response.status_code, response.mimetype) == (500, "application/json")
    assert client.get("/healthz").status_code == 200


def test_an_app_loads_only_the_workloads_that_are_to_be_measured() -> None:
    """The others are not offered, and what they import is not there to be waited for."""
    code = "import sys, webapp; webapp.create_app(); print(*webapp.WORKLOADS, 'sqlalchemy' in sys.modules)"
    environment = {**os.environ, "WORKLOADS": "counter,lock"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=SERVICES, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["counter", "lock", "False"]


@pytest.mark.parametrize("name", [name for name in MECHANISMS if not MECHANISMS[name].unavailable])
def test_get_never_changes(client: FlaskClient, name: str) -> None:
    """A GET reads: asked twice it answers the same, and it performs no operation that changes."""
    path = f"/counter/{name}?key=only-read"
    assert [client.get(path).get_json() for _ in range(2)] == [{"result": 0}] * 2
    assert client.get(f"/counter/{name}/increment?key=only-read").status_code == 405
    assert client.get(path).get_json() == {"result": 0}


def test_key_and_window_may_stand_in_the_body(client: FlaskClient) -> None:
    """A form names key and window as well as the query does."""
    answers = [
        client.post("/counter/module-global/increment", data={"key": "form", "window": "tight"}),
        client.post("/counter/module-global/increment?key=form&window=tight"),
    ]
    assert [answer.get_json() for answer in answers] == [{"result": 1}, {"result": 2}]
    assert client.post("/counter/module-global/increment", data={"window": "wide"}).status_code == 400


def test_one_request_counts_as_often_as_it_says(client: FlaskClient) -> None:
    """It answers when it began and ended, and each number that was told; another number of times is refused before
    anything has changed."""
    path = "/counter/module-global/increment?key=many&window=tight&times="
    begun, ended, *told = client.post(f"{path}3").get_json()["result"]
    assert begun <= ended
    assert told == [1, 2, 3]
    assert [client.post(f"{path}{times}").status_code for times in ("0", "10001", "often")] == [422] * 3
    assert client.get("/counter/module-global?key=many").get_json() == {"result": 3}


@pytest.mark.parametrize(
    "path", ["/healthz", "/catalogue", "/counter/module-global", "/counter/magic", "/counter/redis-incr", "/nothing"]
)
def test_every_answer_says_who_gave_it(client: FlaskClient, path: str) -> None:
    """`X-Served-By` names host, process, thread, greenlet and boot on refusals too; `X-Operation-Id` comes back."""
    response = client.get(path, headers={"X-Operation-Id": "7-42"})
    server = json.loads(response.headers["X-Served-By"])
    assert list(server) == ["host", "pid", "thread", "greenlet", "boot"]
    assert server["pid"] == os.getpid()
    assert response.headers["X-Operation-Id"] == "7-42"


def test_an_operation_id_is_echoed_only_where_there_is_one(client: FlaskClient) -> None:
    """The app makes none up."""
    assert "X-Operation-Id" not in client.get("/healthz").headers


def test_the_boot_id_is_one_per_process(client: FlaskClient) -> None:
    """Two answers of one process have the same boot id, an answer of its child another."""

    def boot() -> str:
        return str(json.loads(client.get("/healthz").headers["X-Served-By"])["boot"])

    here = boot()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, boot().encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    there = os.read(reader, 100).decode()
    os.close(reader)
    assert boot() == here
    assert there
    assert there != here


def test_the_catalogue_lists_what_there_is(client: FlaskClient) -> None:
    """`/catalogue` names windows, workloads, operations with methods, and mechanisms in the order of the table."""
    answer = client.get("/catalogue").get_json()
    assert answer["windows"] == ["tight", "call", "yield", "io"]
    assert list(answer["workloads"]) == list(WORKLOADS)
    counter = answer["workloads"]["counter"]
    assert counter["operations"] == {"increment": "POST", "read": "GET"}
    assert counter["promise"] == WORKLOADS["counter"].promise
    assert list(counter["mechanisms"]) == list(MECHANISMS)


def _as_json(claim: object) -> object:
    """Sets as sorted lists."""
    return sorted(claim) if isinstance(claim, frozenset) else claim


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_catalogue_says_of_a_mechanism_all_that_the_theory_needs(client: FlaskClient, name: str) -> None:
    """Summary, description, code, claims as sorted lists, why it is unavailable, if it is, and no file from outside."""
    mechanism: dict[str, Any] = client.get("/catalogue").get_json()["workloads"]["counter"]["mechanisms"][name]
    claims = MECHANISMS[name].claims
    source = mechanism.pop("source")
    description = mechanism.pop("description")
    assert "def increment(key: str, window: Window) -> int:" in source
    assert "CLAIMS" not in source
    assert description in (MECHANISMS[name].module.__doc__ or "")
    assert mechanism == {
        "summary": MECHANISMS[name].summary,
        "claims": {name: _as_json(claim) for name, claim in asdict(claims).items()},
        "unavailable": MECHANISMS[name].unavailable,
        "file": None,
    }


def test_no_two_greenlets_have_the_same_number() -> None:
    """A greenlet keeps its number, and one that ended does not pass it on, as an address in memory would be."""
    program = """
import gevent
from statelab_identity import _greenlet_id
def numbers():
    return _greenlet_id(), _greenlet_id()
print([gevent.spawn(numbers).get() for _ in range(50)])
"""
    run = subprocess.run([sys.executable, "-c", program], cwd=SERVICES, capture_output=True, text=True, check=True)
    pairs = ast.literal_eval(run.stdout)
    assert all(first == second for first, second in pairs)
    assert len({first for first, _ in pairs}) == 50
