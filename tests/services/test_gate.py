"""The gate: holds one request until it is let go, gives up in the end, and is not there where gates are off."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from statelab.deploy.processes import Processes
from statelab.deploy.stores import start_redis
from webapp import create_app, gate, stores, views
from webapp.catalogue import WORKLOADS
from webapp.settings import SETTINGS
from webapp.window import WINDOWS

HELD = {"X-Operation-Id": "held"}
WITH_GATE = "/counter/module-global/increment?window=gate"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Redis"]:
    """A Redis as the local engine starts it."""
    with Processes() as processes:
        address = start_redis(processes, tmp_path_factory.mktemp("logs")).address
        with Redis.from_url(address) as client:
            yield client


@pytest.fixture
def gated(redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The app in this process, started with gates."""
    address = f"unix://{redis.connection_pool.connection_kwargs['path']}"
    for module in (gate, views, stores):
        monkeypatch.setattr(module, "SETTINGS", replace(SETTINGS, gates=True, redis=address))
    redis.flushall()
    return create_app()


class Sent(threading.Thread):
    """A request in a thread of its own, and its answer once it has ended."""

    def __init__(self, app: Flask, url: str, headers: dict[str, str]) -> None:
        super().__init__()
        self._ask: Callable[[], object] = lambda: app.test_client().post(url, headers=headers)
        self.answer: object = None
        self.start()

    def run(self) -> None:
        self.answer = self._ask()

    def ended(self) -> tuple[int, dict[str, object]]:
        self.join(20)
        return self.answer.status_code, self.answer.get_json()  # type: ignore[attr-defined]


def post(app: Flask, path: str) -> tuple[int, dict[str, object]]:
    response = app.test_client().post(path)
    return response.status_code, response.get_json()


@pytest.mark.process
def test_a_request_is_held_between_its_read_and_its_write_until_it_is_let_go(gated: Flask, redis: "Redis") -> None:
    """It says at which point it is and who serves it; others overtake it; it then writes what it had made of its read;
    nothing is left in Redis."""
    sent = Sent(gated, f"{WITH_GATE}&key=overtaken", HELD)
    status, arrival = post(gated, "/gates/held/arrival")
    assert (status, arrival["point"]) == (200, 1)
    assert arrival["served_by"]["thread"] == sent.native_id  # type: ignore[index]
    assert post(gated, "/counter/module-global/increment?key=overtaken") == (200, {"result": 1})
    assert sent.is_alive()
    assert post(gated, "/gates/held/release")[0] == 200
    assert sent.ended() == (200, {"result": 1})
    assert redis.keys() == []


@pytest.mark.process
def test_a_gate_holds_at_its_point_and_at_no_other(gated: Flask, redis: "Redis") -> None:
    """A mechanism that calls its window again and again is held at the call that was asked for."""
    held = gate.Gate("twice", 2)
    held()
    assert redis.keys() == []
    passing = threading.Thread(target=held)
    passing.start()
    assert post(gated, "/gates/twice/arrival")[1]["point"] == 2
    post(gated, "/gates/twice/release")
    passing.join(20)
    held()
    assert redis.keys() == []


@pytest.mark.process
@pytest.mark.parametrize("mechanism", ["module-global", "module-global-lock", "file-flock", "sqlite-immediate"])
def test_a_gate_that_is_never_released_gives_up_and_cleans_up(
    gated: Flask, redis: "Redis", monkeypatch: pytest.MonkeyPatch, mechanism: str
) -> None:
    """The request ends with a 504 in JSON that says so; its lock is free again, and Redis is empty."""
    monkeypatch.setattr(gate, "LIMIT_S", 0.2)
    path = f"/counter/{mechanism}/increment?key=never-released"
    status, answer = Sent(gated, f"{path}&window=gate", HELD).ended()
    assert status == 504
    assert "held at point 1 and not let go within 0.2 s" in str(answer["error"])
    assert redis.keys() == []
    assert post(gated, path) == (200, {"result": 1})


@pytest.mark.process
def test_who_does_not_come_is_not_waited_for_for_ever(gated: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The arrival of nobody is a 504 that names the operation."""
    monkeypatch.setattr(gate, "LIMIT_S", 0.2)
    status, answer = post(gated, "/gates/nobody/arrival")
    assert status == 504
    assert "nobody did not come to its gate" in str(answer["error"])


@pytest.mark.process
def test_who_is_not_waited_for_so_long(gated: Flask) -> None:
    assert post(gated, "/gates/nobody/arrival?within=0.1")[0] == 504


@pytest.mark.process
def test_a_request_that_only_keeps_its_thread_busy(gated: Flask, redis: "Redis") -> None:
    """It is held until it is let go, has no other effect, and leaves nothing in Redis."""
    sent = Sent(gated, "/gates/busy/hold", {})
    assert post(gated, "/gates/busy/arrival")[1]["served_by"]["thread"] == sent.native_id  # type: ignore[index]
    assert sent.is_alive()
    post(gated, "/gates/busy/release")
    assert sent.ended() == (200, {"held": "busy"})
    assert redis.keys() == []


@pytest.mark.process
def test_a_release_that_nobody_waits_for_expires(gated: Flask, redis: "Redis") -> None:
    """What nobody fetches does not stay in Redis."""
    post(gated, "/gates/gone/release")
    assert [0 < redis.ttl(key) <= gate.KEPT_S for key in redis.scan_iter()] == [True]


@pytest.mark.process
def test_a_held_request_keeps_no_connection_of_its_mechanism(
    gated: Flask, redis: "Redis", monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate has a connection of its own: a mechanism whose pool has one connection serves others meanwhile."""
    one = Redis.from_url(gate.SETTINGS.redis or "", max_connections=1)
    monkeypatch.setattr(stores, "redis", lambda: one)
    monkeypatch.setitem(vars(WORKLOADS["counter"].mechanisms["redis-get-set"]), "unavailable", None)
    path = "/counter/redis-get-set/increment?key=pool"
    sent = Sent(gated, f"{path}&window=gate", HELD)
    assert post(gated, "/gates/held/arrival")[0] == 200
    assert post(gated, path) == (200, {"result": 1})
    post(gated, "/gates/held/release")
    assert sent.ended() == (200, {"result": 1})
    one.close()


@pytest.mark.process
@pytest.mark.parametrize(("query", "headers"), [("", {}), ("&point=0", HELD), ("&point=first", HELD)])
def test_a_gate_needs_an_operation_and_a_point(gated: Flask, query: str, headers: dict[str, str]) -> None:
    """What cannot be held is refused with what it lacks, before any effect."""
    response = gated.test_client().post(f"{WITH_GATE}&key=refused{query}", headers=headers)
    assert response.status_code == 400
    assert "X-Operation-Id" in response.get_json()["error"]
    assert gated.test_client().get("/counter/module-global?key=refused").get_json() == {"result": 0}


@pytest.mark.process
def test_a_gate_without_redis_names_it(gated: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A Redis that is down is a 503, one that is not configured a 501."""
    client = gated.test_client()
    monkeypatch.setattr(gate, "SETTINGS", replace(gate.SETTINGS, redis=f"unix://{tmp_path}/nobody.sock"))
    down = client.post(WITH_GATE, headers=HELD)
    assert (down.status_code, down.get_json()["store"]) == (503, "redis")
    monkeypatch.setattr(gate, "SETTINGS", replace(gate.SETTINGS, redis=None))
    missing = client.post(WITH_GATE, headers=HELD)
    assert (missing.status_code, "redis" in missing.get_json()["error"]) == (501, True)


def test_where_gates_are_off_there_are_none(client: FlaskClient) -> None:
    """A request that asks for one is refused with the windows that there are, and no route knows of gates."""
    response = client.post(WITH_GATE, headers=HELD)
    assert (response.status_code, response.get_json()["valid"]) == (400, sorted(WINDOWS))
    assert "gates are off" in response.get_json()["error"]
    assert client.post("/gates/held/release").status_code == 404
    assert not [rule for rule in client.application.url_map.iter_rules() if rule.rule.startswith("/gates")]
