"""Connections one request after the other where no server is needed, and what they refuse."""

import sqlite3
import threading

import pytest
from flask.testing import FlaskClient

from webapp import create_app
from webapp.catalogue import WORKLOADS
from webapp.connection import opening

MECHANISMS = WORKLOADS["connection"].mechanisms
HERE = [name for name in MECHANISMS if not MECHANISMS[name].unavailable]


def test_those_without_a_server_are_here() -> None:
    """SQLite needs none; the others say which one they miss."""
    assert [name for name in MECHANISMS if name.startswith("sqlite-")] == HERE
    assert len(HERE) == 6
    assert "redis" in (MECHANISMS["redis-global"].unavailable or "")


@pytest.mark.parametrize("name", HERE)
def test_what_was_sent_comes_back(client: FlaskClient, name: str) -> None:
    """One request after the other each has the connection to itself; a probe has one of its own anyway."""
    for value in (1, 2**53 - 1, 4):
        assert client.post(f"/connection/{name}/echo?value={value}").get_json() == {"result": value}
        assert client.get(f"/connection/{name}/probe?value={value}").get_json() == {"result": value}


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "x", str(2**53)])
def test_what_is_no_value_is_refused(client: FlaskClient, name: str, value: str) -> None:
    """422 that says what a value is, before anything is sent."""
    for response in (
        client.post(f"/connection/{name}/echo?value={value}"),
        client.get(f"/connection/{name}/probe?value={value}"),
    ):
        assert response.status_code == 422
        assert "value" in response.get_json()["error"]


@pytest.mark.parametrize("name", HERE)
def test_without_a_server_nobody_counts(client: FlaskClient, name: str) -> None:
    """SQLite's connections are known to nobody but the process that has them."""
    assert client.get(f"/connection/{name}/left").get_json() == {"result": None}


def test_a_connection_on_g_is_closed_with_the_request(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The teardown closes what the request has opened; a request that opened nothing has nothing to close."""
    opened: list[sqlite3.Connection] = []
    open_one = opening.sqlite
    monkeypatch.setattr(opening, "sqlite", lambda: opened.append(open_one()) or opened[-1])
    assert client.post("/connection/sqlite-on-g/echo?value=8").get_json() == {"result": 8}
    assert client.post("/connection/sqlite-on-g/echo?value=0").status_code == 422
    (connection,) = opened
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_another_thread_is_refused_where_sqlite_checks(client: FlaskClient) -> None:
    """The connection of the first thread refuses a second one and the answer says so; without the check it does not."""
    answers: dict[str, tuple[int, str]] = {}

    def ask(name: str) -> None:
        response = create_app().test_client().post(f"/connection/{name}/echo?value=9")
        answers[name] = (response.status_code, response.text)

    for name in ("sqlite-global", "sqlite-global-one-thread"):
        client.post(f"/connection/{name}/echo?value=8")
        thread = threading.Thread(target=ask, args=[name])
        thread.start()
        thread.join()
    assert answers["sqlite-global"][0] == 200
    status, text = answers["sqlite-global-one-thread"]
    assert status == 503
    assert "sqlite did not answer: ProgrammingError" in text
