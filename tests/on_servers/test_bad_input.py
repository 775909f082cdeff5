"""What is refused with real stores behind it: 4xx, JSON that says what is wrong, and the state as it was before."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator

import pytest

from offered import offered
from statelab.core.paths import DEPLOYMENTS
from statelab.deploy.local import LocalEngine
from statelab.plan.deployments import load_all

pytestmark = pytest.mark.process

WORKLOADS = offered().workloads


def mechanisms(workload: str, beginning: str = "") -> list[str]:
    """Those that gunicorn has."""
    offered = WORKLOADS[workload].mechanisms.items()
    return [name for name, each in offered if name.startswith(beginning) and each.claims.offered_by("gunicorn")]


class Server:
    """The deployment `sync`, with all stores."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, method: str, path: str, cookie: str = "", **parameters: str) -> tuple[int, dict[str, object]]:
        """Status and body."""
        request = urllib.request.Request(
            f"{self._url}/{path}?{urllib.parse.urlencode(parameters)}", method=method, headers={"Cookie": cookie}
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def post(self, path: str, **parameters: str) -> tuple[int, dict[str, object]]:
        return self.ask("POST", path, key="bad-input", **parameters)

    def read(self, path: str) -> object:
        status, body = self.ask("GET", path, key="bad-input")
        assert status == 200, body
        return body["result"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    engine = LocalEngine()
    try:
        engine.up([load_all(DEPLOYMENTS)["sync"]])
        yield Server(engine.url("sync"))
    finally:
        engine.down()


@pytest.mark.parametrize("name", mechanisms("once", "idempotency"))
def test_an_idempotency_key_with_another_body(server: Server, name: str) -> None:
    """The retry with the right body is done already; one with another body is a mistake, and has no effect."""
    path = f"once/{name}"
    assert server.post(f"{path}/execute", op_id="r", body="pay-7")[0] == 200
    before = server.read(path)
    status, body = server.post(f"{path}/execute", op_id="r", body="pay-8")
    assert (status, "another body" in str(body["error"])) == (422, True)
    assert server.read(path) == before
    assert server.post(f"{path}/execute", op_id="r", body="pay-7")[0] == 200


@pytest.mark.parametrize("name", mechanisms("inventory"))
def test_a_negative_stock(server: Server, name: str) -> None:
    """What is on the shelf stays there."""
    path = f"inventory/{name}"
    assert server.post(f"{path}/stock", value="3")[0] == 200
    status, body = server.post(f"{path}/stock", value="-1")
    assert (status, "whole number" in str(body["error"])) == (422, True)
    assert server.read(path) == 3


@pytest.mark.parametrize("name", mechanisms("rate-limit"))
def test_a_limit_of_zero(server: Server, name: str) -> None:
    """Nobody is counted: the one request that the limit allows is still let through, and then no other one."""
    path = f"rate-limit/{name}/hit"
    status, body = server.post(path, limit="0")
    assert (status, "whole number" in str(body["error"])) == (422, True)
    assert [server.post(path, limit="1")[1]["result"] for _ in range(2)] == ["ok", "refused"]


@pytest.mark.parametrize("name", mechanisms("lock"))
def test_a_lock_that_somebody_else_gives_back(server: Server, name: str) -> None:
    """Whatever the lock itself would allow: only the request that took it gives it back, and it works as before."""
    status, body = server.post(f"lock/{name}/release")
    assert (status, "by the request that took it" in str(body["error"])) == (409, True)
    assert isinstance(server.post(f"lock/{name}/work")[1]["result"], list)


@pytest.mark.parametrize("cookie", ["session=of-nobody", "session=a.b.c", "session=", "session=%00%ff"])
@pytest.mark.parametrize("name", [name for name in mechanisms("session") if name != "current-user-global"])
def test_a_session_that_nobody_has(server: Server, name: str, cookie: str) -> None:
    """Unknown, forged or broken: nobody counts, nobody is logged out, and there is nobody to be shown."""
    for method, path in (("POST", "/count"), ("POST", "/logout"), ("GET", "")):
        status, body = server.ask(method, f"session/{name}{path}", cookie)
        assert (status, "error" in body) in ((401, True), (400, True)), body
