"""What a request keeps about itself: what the claims say of requests and of threads, seen in one process."""

import threading

import pytest
from flask.testing import FlaskClient

from webapp import create_app
from webapp.catalogue import WORKLOADS

MECHANISMS = WORKLOADS["request-scope"].mechanisms


@pytest.fixture
def client() -> FlaskClient:
    """An app of the test's own: of several lasting contexts in one thread only the last one is met."""
    return create_app().test_client()


def echo(client: FlaskClient, name: str, key: str, value: str) -> str:
    response = client.post(f"/request-scope/{name}/echo?key={key}&window=io&value={value}")
    assert response.status_code == 200, response.get_json()
    return str(response.get_json()["result"])


def find(client: FlaskClient, name: str, key: str, value: str) -> str:
    return str(client.get(f"/request-scope/{name}/find?key={key}&value={value}").get_json()["result"])


@pytest.mark.parametrize("name", [name for name in MECHANISMS if name != "flask-caching-page"])
def test_alone_a_request_reads_back_its_own(client: FlaskClient, name: str) -> None:
    """One request after the other: each gets its own value, even where it found another's."""
    assert [echo(client, name, "alone", value) for value in "abc"] == ["a", "b", "c"]


def test_a_page_that_is_cached_is_the_first_one_s(client: FlaskClient) -> None:
    """Whoever asks for it afterwards; a page at another path is another page."""
    assert [echo(client, "flask-caching-page", "first", value) for value in "abc"] == ["a", "a", "a"]
    assert echo(client, "flask-caching-page", "second", "b") == "b"


@pytest.mark.parametrize("name", MECHANISMS)
def test_the_next_request_of_the_thread_finds_what_outlives_a_request(client: FlaskClient, name: str) -> None:
    """A residue is there exactly where the claims say so; where nothing is, a request finds its own value."""
    assert find(client, name, "next", "mine") == "mine"
    echo(client, name, "next", "yours")
    expected = "yours" if "requests" in MECHANISMS[name].claims.shared_across else "mine"
    assert find(client, name, "next", "mine") == expected
    assert find(client, name, "another", "mine") == "mine"


@pytest.mark.parametrize("name", MECHANISMS)
def test_a_request_in_a_new_thread_finds_what_is_shared_across_threads(client: FlaskClient, name: str) -> None:
    """As with `flask run`: what belongs to a thread is gone, what belongs to the process is not."""
    echo(client, name, "thread", "yours")
    found = []
    other = threading.Thread(target=lambda: found.append(find(client, name, "thread", "mine")))
    other.start()
    other.join()
    assert found == ["yours" if "threads" in MECHANISMS[name].claims.shared_across else "mine"]


def test_the_lasting_context_is_one_mechanism_s_own(client: FlaskClient) -> None:
    """It does not make `g` of other mechanisms last, and its app answers refusals like all others."""
    echo(client, "flask-g-lasting-context", "own", "yours")
    assert find(client, "flask-g", "own", "mine") == "mine"
    refused = client.get("/request-scope/flask-g-lasting-context/nonsense")
    assert (refused.status_code, refused.get_json()["valid"]) == (404, ["find"])
    assert "X-Served-By" in refused.headers


@pytest.mark.parametrize("name", MECHANISMS)
@pytest.mark.parametrize("value", ["", "a%20b", "ключ", "%00", "x" * 129])
def test_a_value_that_cannot_be_is_refused(client: FlaskClient, name: str, value: str) -> None:
    """422 in JSON that says what a value may be; nothing is stored."""
    key = f"refused-{len(value)}"
    response = client.post(f"/request-scope/{name}/echo?key={key}&value={value}")
    assert (response.status_code, "value" in response.get_json()["error"]) == (422, True)
    assert client.get(f"/request-scope/{name}/find?key={key}&value={value}").status_code == 422
    assert find(client, name, key, "mine") == "mine"
