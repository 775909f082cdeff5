"""Sessions, one request after the other: what each mechanism keeps, ends, and refuses."""

import base64
import json

import pytest
from flask.testing import FlaskClient

from webapp import create_app
from webapp.catalogue import WORKLOADS

MECHANISMS = WORKLOADS["session"].mechanisms
HERE = [name for name, mechanism in MECHANISMS.items() if not mechanism.unavailable]
WITH_COOKIE = [name for name in HERE if MECHANISMS[name].claims.keyed]


@pytest.fixture(scope="module")
def app_client() -> FlaskClient:
    return create_app().test_client()


@pytest.fixture
def browsers(app_client: FlaskClient) -> tuple[FlaskClient, FlaskClient]:
    """Two cookie jars for one app."""
    app = app_client.application
    return app.test_client(), app.test_client()


def ask(browser: FlaskClient, name: str, operation: str = "") -> object:
    response = browser.get(f"/session/{name}{operation and '/'}{operation}")
    assert response.status_code == 200, response.get_json()
    return response.get_json()["result"]


def do(browser: FlaskClient, name: str, operation: str, **arguments: str) -> object:
    response = browser.post(f"/session/{name}/{operation}", query_string=arguments)
    assert response.status_code == 200, response.get_json()
    return response.get_json()["result"]


def test_only_stores_are_missing_here() -> None:
    """What needs no server is tried by these tests; the others say what they need."""
    assert set(MECHANISMS) - set(HERE) == {name for name, m in MECHANISMS.items() if m.claims.store}


@pytest.mark.parametrize("name", HERE)
def test_one_browser_counts_and_is_forgotten_when_it_logs_out(
    browsers: tuple[FlaskClient, FlaskClient], name: str
) -> None:
    """Login, count, read, logout, each with whose session it was."""
    browser, _ = browsers
    assert do(browser, name, "login", user="ann") == "ann"
    assert [do(browser, name, "count") for _ in range(3)] == ["ann 1", "ann 2", "ann 3"]
    assert (ask(browser, name), ask(browser, name, "whoami")) == ("ann 3", "ann")
    assert do(browser, name, "logout") == "ann"
    assert ask(browser, name, "whoami") is None
    assert browser.get(f"/session/{name}").status_code == 401


@pytest.mark.parametrize("name", HERE)
def test_two_browsers_meet_where_nothing_tells_them_apart(browsers: tuple[FlaskClient, FlaskClient], name: str) -> None:
    """Who logs in last is everybody, unless the state is keyed."""
    one, other = browsers
    do(one, name, "login", user="ann")
    do(other, name, "login", user="bob")
    do(one, name, "count")
    expected = ("ann 1", "bob 0") if MECHANISMS[name].claims.keyed else ("bob 1", "bob 1")
    assert (ask(one, name), ask(other, name)) == expected
    do(other, name, "logout")


@pytest.mark.parametrize("name", WITH_COOKIE)
def test_a_kept_cookie_after_the_logout(browsers: tuple[FlaskClient, FlaskClient], name: str) -> None:
    """It opens nothing any more, unless all of the session is in it."""
    browser, thief = browsers
    do(browser, name, "login", user="ann")
    kept = browser.get_cookie("session")
    assert kept
    do(browser, name, "logout")
    thief.set_cookie("session", kept.value)
    assert ask(thief, name, "whoami") == ("ann" if MECHANISMS[name].claims.carried else None)


@pytest.mark.parametrize("name", [name for name in HERE if "cookie" in name])
def test_a_key_drawn_for_each_app_knows_no_other_apps_cookie(name: str) -> None:
    """As one process knows no other's: two apps of one process stand for two processes."""
    one, other = create_app().test_client(), create_app().test_client()
    do(one, name, "login", user="ann")
    cookie = one.get_cookie("session")
    assert cookie
    other.set_cookie("session", cookie.value)
    assert ask(other, name, "whoami") == (None if name == "signed-cookie-random-key" else "ann")


FORGED = base64.urlsafe_b64encode(json.dumps({"user": "ann", "count": 99, "id": "x"}).encode()).decode().rstrip("=")
BAD_COOKIES = {
    "unknown session": "0" * 43,
    "forged": f"{FORGED}.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb",
    "broken": "..;;%00",
    "not text": "\xff\xfe",
    "a path": "../../etc/passwd",
    "very long": "x" * 3000,
}


@pytest.mark.parametrize("bad", BAD_COOKIES)
@pytest.mark.parametrize("name", WITH_COOKIE)
def test_a_cookie_that_opens_nothing_is_refused(browsers: tuple[FlaskClient, FlaskClient], name: str, bad: str) -> None:
    """401 in JSON that says what is wrong; nobody's session is touched."""
    owner, forger = browsers
    do(owner, name, "login", user="ann")
    do(owner, name, "count")
    headers = {"Cookie": f"session={BAD_COOKIES[bad]}"}
    for method, path in (("POST", "/count"), ("POST", "/logout"), ("GET", "")):
        response = forger.open(f"/session/{name}{path}", method=method, headers=headers)
        assert (response.status_code, "nobody is logged in" in response.get_json()["error"]) == (401, True)
    assert forger.get(f"/session/{name}/whoami", headers=headers).get_json() == {"result": None}
    assert ask(owner, name) == "ann 1"


@pytest.mark.parametrize("name", HERE)
@pytest.mark.parametrize("user", ["", "a%20b", "%3Cscript%3E", "x" * 129])
def test_a_user_that_cannot_be_is_refused(browsers: tuple[FlaskClient, FlaskClient], name: str, user: str) -> None:
    """422 in JSON that says what a user may be; who was logged in still is."""
    browser, _ = browsers
    do(browser, name, "login", user="ann")
    response = browser.post(f"/session/{name}/login?user={user}")
    assert (response.status_code, "user" in response.get_json()["error"]) == (422, True)
    assert ask(browser, name) == "ann 0"


def test_what_a_mechanism_s_own_app_does_not_know_is_refused_as_elsewhere(app_client: FlaskClient) -> None:
    """The valid operations, and a method that is not allowed, in JSON, with who answered."""
    unknown = app_client.post("/session/signed-cookie/steal")
    assert (unknown.status_code, unknown.get_json()["valid"]) == (404, ["count", "login", "logout"])
    wrong = app_client.get("/session/signed-cookie/count")
    assert (wrong.status_code, "X-Served-By" in wrong.headers) == (405, True)
