"""The caches one request after the other, and what they refuse."""

import pytest
from flask.testing import FlaskClient

from webapp.catalogue import WORKLOADS

MECHANISMS = WORKLOADS["cache"].mechanisms
HERE = [name for name in MECHANISMS if not MECHANISMS[name].unavailable]


def write(client: FlaskClient, name: str, key: str, value: object) -> int:
    return client.post(f"/cache/{name}/write?key={key}&value={value}&window=tight").status_code


def read(client: FlaskClient, name: str, key: str) -> int | list[int]:
    found: int | list[int] = client.get(f"/cache/{name}?key={key}&window=tight").get_json()["result"]
    return found


@pytest.mark.parametrize("name", HERE)
def test_a_miss_computes_a_hit_does_not_and_an_update_is_seen(client: FlaskClient, name: str) -> None:
    """A read that computed says when; the next one has the value alone; after an update the new one is computed."""
    for value in (32, 64):
        assert write(client, name, "one", value) == 200
        missed = read(client, name, "one")
        assert isinstance(missed, list)
        computed, begin, end = missed
        assert (computed, begin <= end) == (value, True)
        assert read(client, name, "one") == value


@pytest.mark.parametrize("name", HERE)
def test_keys_are_apart(client: FlaskClient, name: str) -> None:
    """What one cell writes no other one reads."""
    assert write(client, name, "this", 5) == write(client, name, "that", 6) == 200
    assert [read(client, name, key) for key in ("this", "that")] != [5, 5]
    assert [read(client, name, key) for key in ("this", "that")] == [5, 6]


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("value", ["", "0", "-1", "1.5", "x", str(2**53), "none"])
def test_a_value_that_is_none_is_refused_and_changes_nothing(client: FlaskClient, name: str, value: str) -> None:
    """422 that says what a value is; what was there before is there still."""
    assert write(client, name, "kept", 7) == 200
    read(client, name, "kept")
    response = client.post(f"/cache/{name}/write?key=kept&value={value}")
    assert response.status_code == 422
    assert "value" in response.get_json()["error"]
    assert read(client, name, "kept") == 7


@pytest.mark.parametrize("name", HERE)
def test_nothing_was_written(client: FlaskClient, name: str) -> None:
    """404 that says so, and no memory of it: the first value is seen."""
    response = client.get(f"/cache/{name}?key=nothing-yet")
    assert (response.status_code, bool(response.get_json()["error"])) == (404, True)
    assert write(client, name, "nothing-yet", 3) == 200
    read(client, name, "nothing-yet")
    assert read(client, name, "nothing-yet") == 3


def test_a_read_has_a_window_too(client: FlaskClient) -> None:
    """A miss takes time, so a GET may say how much; one that there is not is refused."""
    assert client.get("/cache/lru-cache?key=one&window=wide").status_code == 400
